// @ts-check
// What the gateway says of health, in the shapes of its contracts.

/**
 * @typedef {"up"|"idle"|"busy"|"degraded"|"down"|"unknown"} Shown
 *
 * @typedef {object} TargetView
 * @property {string} name
 * @property {"host"|"service"|"model"} kind
 * @property {string} label
 * @property {Shown} state
 * @property {"up"|"degraded"|"down"|"unknown"} level
 * @property {string} reason
 * @property {string|null} [because]  The Spark whose trouble this is.
 * @property {boolean} stale
 * @property {boolean} flapping
 * @property {boolean} maintenance
 *
 * @typedef {{id: string, target: string, starts_at: string, ends_at: string, reason: string, requested_by: string, active: boolean}} Maintenance
 * @typedef {{targets: TargetView[], disabled: string[], maintenance: Maintenance[], problems: string[], as_of: string}} HealthView
 *
 * @typedef {object} Hardware  One Spark as a machine; null is "not said".
 * @property {string} name
 * @property {string} label
 * @property {string} address
 * @property {"well"|"slow"|"partly"|"hung"|"dead"|"refused"|"unknown"} answering
 * @property {string} reason
 * @property {string|null} read_at
 * @property {number|null} age_seconds
 * @property {boolean} stale
 * @property {string|null} hostname
 * @property {string|null} kernel
 * @property {number|null} uptime_seconds
 * @property {number[]} load
 * @property {number|null} cores
 * @property {{total: number, available: number, used: number, free: number|null, page_cache: number|null, swap_total: number|null, swap_used: number|null}|null} memory
 * @property {boolean} gpu_unified_memory
 * @property {{name: string, bytes: number|null, share: number|null}[]} consumers
 * @property {Gpu|null} gpu
 * @property {string|null} gpu_problem
 * @property {boolean} driver_mismatch
 * @property {{total: number, used: number, available: number}|null} disk
 * @property {{interface: string, kind: "cable"|"wifi"|"other", source: string|null}[]} routes
 * @property {{kind: "wireguard"|"tailscale", interface: string, address: string}[]} badges
 * @property {number|null} clock_skew_seconds
 * @property {string[]} unread
 * @property {{mac: string, wired: boolean}|null} wake_address
 * @property {{state: "waiting"|"awake"|"gave_up", sentence: string, via: string, sent_at: string, until: string, requested_by: string}|null} wake
 * @property {boolean} can_shut_down
 * @property {boolean} can_reboot
 * @property {string[]} steps
 *
 * @typedef {object} Gpu
 * @property {string|null} name
 * @property {string|null} driver
 * @property {number|null} percent
 * @property {number|null} celsius
 * @property {number|null} watts
 * @property {number|null} watt_limit
 * @property {number|null} [sm_mhz]
 * @property {number|null} [sm_max_mhz]
 * @property {{pid: number, name: string, bytes: number|null, consumer: string, container: string|null}[]} processes
 *
 * @typedef {{at: string} & Record<string, number|null>} Point
 * @typedef {{host: string, span: Span, step_seconds: number, points: Point[]}} HostHistory
 * @typedef {"hour"|"day"|"week"} Span
 *
 * @typedef {object} ServiceView
 * @property {string} name
 * @property {string} label
 * @property {string} kind
 * @property {"built_in"|"nim"|"custom"|"bridge"} origin
 * @property {Shown} state
 * @property {string} reason
 * @property {string|null} since
 * @property {boolean} stale
 * @property {number|null} age_seconds
 * @property {string|null} host
 * @property {string|null} url
 * @property {string|null} version
 * @property {ContainerView|null} container
 * @property {("start"|"stop"|"restart")[]} actions
 * @property {boolean} has_logs
 * @property {boolean} removable
 * @property {"start"|"stop"|"restart"|null} acting
 * @property {{action: string, requested_by: string, reason: string, ok: boolean, message: string, at: string}|null} last_action
 *
 * @typedef {object} ContainerView
 * @property {string} name
 * @property {string} state
 * @property {string|null} problem
 * @property {number|null} restart_count
 * @property {number} recent_restarts
 * @property {boolean} crash_loop
 * @property {number|null} up_seconds
 * @property {number|null} exit_code
 * @property {boolean} out_of_memory
 * @property {string|null} image
 *
 * @typedef {{state: string, sentence: string, latency_ms: number|null, at: string, trigger: string, evidence: string[]}} DeepResult
 * @typedef {object} DeepService
 * @property {string} name
 * @property {boolean} running
 * @property {DeepResult|null} last
 * @property {DeepResult[]} history
 * @property {Remedy|null} remedy
 *
 * @typedef {object} Remedy
 * @property {"act"|"suggest"|"never"} mode
 * @property {"quiet"|"waiting"|"working"|"suggested"|"open"} state
 * @property {string} sentence
 * @property {string|null} press
 * @property {string[]} evidence
 * @property {number} restarts
 * @property {number} most_restarts
 * @property {string|null} last_restart_at
 *
 * @typedef {object} CareView  A job on a service: of NIM, of the bridge, of the speech files.
 * @property {string} id
 * @property {string} requested_by
 * @property {"running"|"complete"|"failed"|"cancelled"} state
 * @property {string} step
 * @property {{step: string, at: string, seconds: number|null}[]} steps
 * @property {number|null} percent
 * @property {string} message
 * @property {import("./types.js").Cause|null} cause
 * @property {number} n
 * @property {string} created_at
 * @property {string|null} finished_at
 */

export {};
