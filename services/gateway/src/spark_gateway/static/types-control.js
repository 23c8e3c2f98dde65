// The JSON of recipes, plans, downloads, deletions and updates as JSDoc types, as the contracts define it.

/**
 * @typedef {import("./types.js").Cause} Cause
 * @typedef {"good"|"bad"|"unknown"} Finding
 *
 * @typedef {object} JobView
 * @property {string} id
 * @property {string} requested_by
 * @property {"running"|"complete"|"failed"|"cancelled"} state
 * @property {string} step
 * @property {number|null} [percent]
 * @property {number|null} [eta_seconds]
 * @property {string} message
 * @property {Cause|null} [cause]
 * @property {number} n
 * @property {string} created_at
 * @property {string|null} [finished_at]
 *
 * @typedef {object} JobProgress
 * @property {string} job_id
 * @property {number} n
 * @property {string} step
 * @property {string|null} [previous_step]
 * @property {number|null} [percent]
 * @property {number|null} [eta_seconds]
 * @property {string} message
 * @property {string[]} lines
 * @property {string} at
 * @property {number} [done_bytes]
 * @property {number|null} [total_bytes]
 * @property {number|null} [bytes_per_second]
 *
 * @typedef {object} JobEnded
 * @property {string} job_id
 * @property {"complete"|"failed"|"cancelled"} outcome
 * @property {string} message
 * @property {Cause|null} [cause]
 * @property {number} total_seconds
 * @property {string} finished_at
 * @property {string} [repo]
 *
 * @typedef {object} DownloadPlace
 * @property {string} host
 * @property {string} label
 * @property {"unknown"|"absent"|"partial"|"ready"|"running"|"failed"} state
 * @property {number} done_bytes
 * @property {number|null} [total_bytes]
 * @property {number|null} [free_bytes]
 * @property {number|null} [free_after_bytes]
 * @property {string|null} [problem]
 *
 * @typedef {object} DownloadPlan
 * @property {string} repo
 * @property {number|null} [total_bytes]
 * @property {"hub"|"recipe"|"disk"|"unknown"} size_source
 * @property {number|null} [missing_bytes]
 * @property {DownloadPlace[]} places
 * @property {number|null} [usual_bytes_per_second]
 * @property {number|null} [eta_seconds]
 * @property {string|null} [running]
 * @property {string[]} blockers
 *
 * @typedef {object} DownloadFacts
 * @property {string} repo
 * @property {DownloadPlace[]} places
 * @property {number} done_bytes
 * @property {number|null} [total_bytes]
 * @property {number|null} [bytes_per_second]
 *
 * @typedef {JobView & DownloadFacts} DownloadView
 * @typedef {{running: DownloadView[], recent: DownloadView[]}} Downloads
 *
 * @typedef {object} DeletePlace
 * @property {string} host
 * @property {string} label
 * @property {number} frees_bytes
 * @property {number} shared_bytes
 * @property {number|null} [free_after_bytes]
 * @property {boolean} stale
 * @property {boolean} root_owned
 *
 * @typedef {object} DeletePlan
 * @property {string} model
 * @property {string} name
 * @property {DeletePlace[]} places
 * @property {number} frees_bytes
 * @property {string[]} blockers
 * @property {string[]} notes
 *
 * @typedef {object} Knobs
 * @property {number|null} [max_model_len]
 * @property {number|null} [gpu_memory_utilization]
 * @property {boolean|null} [fast_load]
 * @property {boolean|null} [prefix_caching]
 * @property {boolean|null} [fp8_kv_cache]
 *
 * @typedef {object} RecipeForm
 * @property {string|null} [key]
 * @property {string|null} [repo]
 * @property {string|null} [local_path]
 * @property {string} name
 * @property {"solo"|"cluster"} mode
 * @property {string|null} [served_name]
 * @property {string|null} [image]
 * @property {number} [tensor_parallel]
 * @property {Record<string, string>} [env]
 * @property {string[]} [args]
 * @property {string[]} [capabilities]
 * @property {number|null} [context_length]
 * @property {number|null} [size_bytes]
 *
 * @typedef {{field: string, message: string, severity: "error"|"warning", near: string[]}} FieldProblem
 *
 * @typedef {object} MemoryHelp
 * @property {number} total_bytes
 * @property {boolean} measured
 * @property {number} utilization
 * @property {number} allocated_bytes
 * @property {number} left_bytes
 * @property {number|null} [cache_tokens]
 * @property {number|null} [pages]
 * @property {string[]} sentences
 * @property {string[]} warnings
 *
 * @typedef {object} Preview
 * @property {string[]} launch_argv
 * @property {string} launch_cmd
 * @property {FieldProblem[]} problems
 * @property {MemoryHelp|null} [memory]
 *
 * @typedef {object} RecipeDetail
 * @property {RecipeForm} form
 * @property {"bundled"|"override"|"own"} source
 * @property {Knobs} knobs
 * @property {Knobs|null} [bundled_knobs]
 * @property {string[]} flags
 * @property {Preview} preview
 * @property {number|null} [longest_context]
 *
 * @typedef {{flag: string, kind: string, choices: string[], help: string}} FlagHelp
 *
 * @typedef {object} Template
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {string|null} [repo]
 * @property {"solo"|"cluster"|"either"} mode
 * @property {string|null} [known_as]
 * @property {RecipeForm|null} [form]
 * @property {string|null} [problem]
 *
 * @typedef {{templates: Template[], host?: string|null, directory?: string|null, problem?: string|null}} Templates
 *
 * @typedef {{value: any, source: string, certainty: "read"|"derived"|"guessed", note?: string|null}} Suggested
 *
 * @typedef {object} Suggestion
 * @property {string} key
 * @property {string} repo
 * @property {string} name
 * @property {string[]} hosts
 * @property {number} size_bytes
 * @property {Suggested} served_name
 * @property {Suggested} mode
 * @property {Suggested} tensor_parallel
 * @property {Suggested} image
 * @property {Suggested} context_length
 * @property {Suggested} quantization
 * @property {Suggested} tool_parser
 * @property {Suggested} reasoning_parser
 * @property {Suggested} capabilities
 * @property {Suggested[]} traits
 * @property {Suggested[]} args
 * @property {Suggested[]} env
 * @property {string[]} warnings
 *
 * @typedef {object} Validation
 * @property {boolean} ok
 * @property {Finding} verdict
 * @property {string|null} [error]
 * @property {Cause|null} [cause]
 * @property {{name: string, verdict: Finding, sentence: string}[]} checks
 * @property {string} note
 *
 * @typedef {object} NodePlan
 * @property {string} host
 * @property {string} label
 * @property {number|null} [total_bytes]
 * @property {number|null} [needed_bytes]
 * @property {number|null} [headroom_bytes]
 * @property {Finding} verdict
 *
 * @typedef {object} SwapPlan
 * @property {string} model_name
 * @property {string|null} [stops]
 * @property {number|null} [in_flight]
 * @property {number} drain_seconds
 * @property {number|null} [eta_seconds]
 * @property {number|null} [back_seconds]
 * @property {NodePlan[]} nodes
 * @property {Cause[]} blockers
 * @property {string[]} doubts
 * @property {string} launch_cmd
 *
 * @typedef {object} CheckoutState
 * @property {string} host
 * @property {string} label
 * @property {boolean} present
 * @property {number|null} [behind]
 * @property {string|null} [fetched_at]  When its remote was last asked; absent: never.
 * @property {string[]} dirty
 * @property {{sha: string, subject: string, body: string}[]} commits
 * @property {string|null} [problem]
 *
 * @typedef {JobView & {direction: "update"|"revert"}} UpdateView
 *
 * @typedef {object} Updates
 * @property {CheckoutState[]} checkouts
 * @property {boolean} can_apply
 * @property {boolean} can_revert
 * @property {string[]} blockers
 * @property {UpdateView|null} [job]
 * @property {string|null} [checked_at]
 *
 * @typedef {{id: string, lines: string[], first: number, total: number, cut: boolean}} SwapLogPiece
 */

export {};
