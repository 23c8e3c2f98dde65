// The JSON of the gateway as JSDoc types, field by field as `spark_common.contracts` defines it.

/**
 * @typedef {"queued"|"preflight"|"draining"|"stopping"|"launching"|"loading"|"warming"|"ready"
 *   |"rolling_back"|"rolled_back"|"failed"|"cancelled"} Phase
 *
 * @typedef {object} HostView
 * @property {string} name
 * @property {string} label
 * @property {"unknown"|"online"|"unreachable"} state
 * @property {string|null} [detail]
 * @property {string|null} [seen_at]
 * @property {number|null} [disk_total_bytes]
 * @property {number|null} [disk_free_bytes]
 * @property {number|null} [memory_total_bytes]
 * @property {number|null} [memory_available_bytes]
 *
 * @typedef {object} ModelCopy
 * @property {string} host
 * @property {number} size_bytes
 * @property {"ready"|"downloading"|"incomplete"|"broken"|"no_snapshot"} state
 * @property {number} [incomplete_bytes]
 * @property {string[]} [missing]
 * @property {boolean} [stale]
 *
 * @typedef {object} MemoryFit
 * @property {number} needed_bytes
 * @property {number} total_bytes
 * @property {number} left_bytes
 * @property {"good"|"bad"|"unknown"} verdict
 *
 * @typedef {object} LastTest
 * @property {"test"|"load"} kind
 * @property {"good"|"bad"|"unknown"} verdict
 * @property {string} sentence
 * @property {string} at
 *
 * @typedef {object} ModelView
 * @property {string} key
 * @property {string} name
 * @property {string} repo
 * @property {string|null} [local_path]
 * @property {"bundled"|"override"|"own"|null} [source]
 * @property {string} served_name
 * @property {"ready"|"needs_setup"|"incomplete"|"downloading"|"missing"} state
 * @property {"solo"|"cluster"} mode
 * @property {string[]} capabilities
 * @property {number|null} [context_length]
 * @property {ModelCopy[]} copies
 * @property {number|null} [size_bytes]
 * @property {number|null} [load_seconds]
 * @property {boolean} loaded
 * @property {number|null} [expected_bytes]
 * @property {MemoryFit|null} [fit]
 * @property {LastTest|null} [test]
 * @property {{reason: string, since: string, host?: string|null, swap_id?: string|null}|null} [quarantine]
 *
 * @typedef {object} RecipeView
 * @property {string} key
 * @property {string} name
 * @property {string} repo
 * @property {"solo"|"cluster"} mode
 * @property {string|null} [local_path]
 * @property {number|null} [size_bytes]
 *
 * @typedef {object} RuntimeView
 * @property {"unknown"|"idle"|"starting"|"serving"|"degraded"|"unreachable"} state
 * @property {string|null} [model]
 * @property {string|null} [served_name]
 * @property {number|null} [context_length]
 * @property {string|null} [since]
 * @property {string|null} [detail]
 * @property {string|null} [canary]
 *
 * @typedef {object} Menu
 * @property {ModelView[]} models
 * @property {RecipeView[]} recipes
 * @property {HostView[]} hosts
 * @property {RuntimeView} runtime
 * @property {string[]} problems
 * @property {string} as_of
 *
 * @typedef {object} PhaseMark
 * @property {Phase} phase
 * @property {string} at
 * @property {number|null} [seconds]
 *
 * @typedef {object} Cause
 * @property {string} code
 * @property {string} sentence
 * @property {string} action
 * @property {string[]} [evidence]
 *
 * @typedef {object} SwapView
 * @property {string} id
 * @property {string} model
 * @property {string} model_name
 * @property {string|null} [previous]
 * @property {string} requested_by
 * @property {boolean} [rollback]
 * @property {boolean} [dry_run]
 * @property {Phase} phase
 * @property {PhaseMark[]} phases
 * @property {number|null} [percent]
 * @property {number|null} [eta_seconds]
 * @property {number|null} [usual_seconds]
 * @property {string} message
 * @property {Cause|null} [cause]
 * @property {string|null} [serving]
 * @property {string|null} [degraded]
 * @property {number} attempt
 * @property {number} n
 * @property {string} created_at
 * @property {string|null} [finished_at]
 *
 * @typedef {object} Swaps
 * @property {SwapView|null} current
 * @property {SwapView[]} queue
 * @property {SwapView[]} recent
 *
 * @typedef {object} SwapProgress
 * @property {string} swap_id
 * @property {number} n
 * @property {string} model
 * @property {Phase} phase
 * @property {Phase|null} [previous_phase]
 * @property {number|null} [percent]
 * @property {number|null} [eta_seconds]
 * @property {string} message
 * @property {string[]} lines
 * @property {number} attempt
 * @property {string} at
 *
 * @typedef {object} SwapComplete
 * @property {string} swap_id
 * @property {string} model
 * @property {string} served_name
 * @property {number} total_seconds
 * @property {boolean} [dry_run]
 * @property {string} finished_at
 *
 * @typedef {object} SwapFailed
 * @property {string} swap_id
 * @property {string} model
 * @property {"failed"|"cancelled"|"rolled_back"} outcome
 * @property {Cause} cause
 * @property {Phase} failed_in
 * @property {string|null} [serving]
 * @property {number} total_seconds
 * @property {boolean} [dry_run]
 * @property {string} finished_at
 *
 * @typedef {{name: string, state: string}} Component
 * @typedef {{connected: boolean, detail?: string|null}} BusView
 *
 * @typedef {object} CaptureView  Whether what is asked and answered is being captured.
 * @property {boolean} on
 * @property {string|null} [until]  Then it stops, and everything is deleted.
 * @property {string} requested_by
 * @property {number} kept
 *
 * @typedef {object} Snapshot
 * @property {Menu|null} menu
 * @property {Swaps|null} swaps
 * @property {import("./types-control.js").Downloads|null} [downloads]
 * @property {import("./types-control.js").Updates|null} [updates]
 * @property {import("./types-lease.js").LeaseView|null} [lease]
 * @property {CaptureView|null} [capture]
 * @property {number} [held]
 * @property {import("./types-health.js").HealthView|null} [health]
 * @property {Component[]} components
 * @property {BusView} bus
 * @property {string} version
 * @property {boolean} [demo]
 *
 * @typedef {{at: string, text: string}} LogEntry  `at` is empty when the moment is not known.
 *
 * @typedef {object} SwapLog
 * @property {string} id
 * @property {number} n  Number of the last progress event that is in the log.
 * @property {number} dropped  How many entries at the beginning were let go.
 * @property {LogEntry[]} entries
 *
 * @typedef {object} State
 * @property {import("./tabs.js").Tab} tab  The part of the page that is open.
 * @property {"connecting"|"live"|"lost"} link
 * @property {number} heardAt  Milliseconds since 1970 when the server last said anything; 0 never.
 * @property {string|null} version
 * @property {boolean} outdated  The server is newer than this page.
 * @property {boolean} demo
 * @property {Menu|null} menu
 * @property {Swaps|null} swaps
 * @property {number} etaAt  Milliseconds since 1970 when the current ETA was said.
 * @property {import("./types-control.js").Downloads|null} downloads  Null while nobody says.
 * @property {import("./types-control.js").Updates|null} updates  Null while nobody says.
 * @property {import("./types-lease.js").LeaseView|null} lease  Null while nobody says.
 * @property {number} leaseAt  Milliseconds since 1970 when it was said.
 * @property {import("./types-lease.js").Holding|null} holding  What this page holds or waits for.
 * @property {CaptureView|null} capture  Null while nobody says.
 * @property {number} held  Requests that this gateway holds for a model.
 * @property {import("./types-health.js").HealthView|null} health  Null while nobody says.
 * @property {import("./reduce-care.js").Care} care  Installations and care of files, as their events tell them.
 * @property {import("./reduce-owner.js").Known} known  What the other parts of the page asked for.
 * @property {SwapLog|null} jobLog  Log of the update that runs, or of the last one.
 * @property {Component[]} components
 * @property {BusView} bus
 * @property {SwapLog|null} log  Log of the live swap, or of the last one.
 * @property {string[]} dismissed  Ids of the failures the reader put away.
 *
 * @typedef {"ok"|"warn"|"bad"|"now"|"idle"|"line"} Tone
 *
 * @typedef {object} Line
 * @property {Tone} tone
 * @property {string} icon
 * @property {string} title
 * @property {string} text
 *
 * @typedef {object} Verdict
 * @property {Line} overall
 * @property {Line} well
 * @property {Line} swap
 * @property {"now"|"queue"|"no"} may
 * @property {string} reason  Why not, in a few words, for beside a button that is off.
 * @property {string} [over]  Whose reservation is in the way, when nothing else is.
 *
 * @typedef {{state: State, verdict: Verdict, now: number, tab: import("./tabs.js").Tab}} View
 */

export {};
