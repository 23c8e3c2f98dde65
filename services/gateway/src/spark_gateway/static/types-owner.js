// The JSON of what the owner edits as JSDoc types: settings, schedules, messages, accounts, as the contracts define it.

/**
 * @typedef {object} SettingView
 * @property {string} name
 * @property {string} label
 * @property {string} help
 * @property {string} group
 * @property {"text"|"number"|"integer"|"flag"|"choice"|"list"|"address"|"url"|"secret"} kind
 * @property {string[]} choices
 * @property {string|null} [unit]
 * @property {any} [default]
 * @property {any} [value]
 * @property {"owner"|"environment"|"default"} source
 * @property {boolean} is_set
 *
 * @typedef {{version: number, settings: SettingView[], warnings: string[]}} SettingsView
 * @typedef {{version: number, values: Record<string, any>, secrets: Record<string, string|null>}} Changes
 *
 * @typedef {{kind: "value", text: string}|{kind: "flag", on: boolean}|{kind: "reset"}|{kind: "secret", text: string}|{kind: "clear"}} Draft
 *   What the reader did to one setting and did not save yet.
 *
 * @typedef {{settings: number, secrets: number, schedules: number, webhooks: number, overrides: boolean, warnings: string[], changes: StateChange[]}} Imported
 * @typedef {{part: string, name: string, how: "added"|"replaced", before: string|null, after: string|null}} StateChange
 *
 * @typedef {"outside"|"swap"|"warm"|"restart"|"sweep"|"snapshot"} Kind
 * @typedef {"planned"|"running"|"done"|"failed"|"missed"|"skipped"} RunState
 *
 * @typedef {object} PutSchedule
 * @property {string} id
 * @property {string|null} [name]
 * @property {Kind} kind
 * @property {string|null} [cron]
 * @property {number|null} [every_seconds]
 * @property {string|null} [at]
 * @property {string} timezone
 * @property {string|null} [starts_at]
 * @property {string|null} [ends_at]
 * @property {number|null} [duration_minutes]
 * @property {string|null} [model]
 * @property {string|null} [service]
 * @property {string|null} [collection]
 * @property {number|null} [keep]
 * @property {string} owner
 * @property {string} note
 * @property {boolean} enabled
 * @property {{policy: "skip"|"run_once", within_minutes: number}} misfire
 * @property {number|null} [missed_after_minutes]
 *
 * @typedef {object} Run
 * @property {string} id
 * @property {string} nominal
 * @property {RunState} state
 * @property {string|null} [started_at]
 * @property {string|null} [finished_at]
 * @property {string} message
 * @property {string|null} [swap_id]
 *
 * @typedef {{at: string, until: string, other: "lease"|"schedule", other_id?: string|null, sentence: string}} Conflict
 *
 * @typedef {object} ScheduleView
 * @property {PutSchedule} schedule
 * @property {string|null} [next_at]
 * @property {Run|null} [last]
 * @property {Run[]} runs
 * @property {Conflict[]} conflicts
 * @property {string} created_at
 * @property {number} revision
 *
 * @typedef {object} CalendarEntry
 * @property {string} schedule_id
 * @property {string} name
 * @property {Kind} kind
 * @property {string} at
 * @property {string} until
 * @property {string|null} [model]
 * @property {string} owner
 * @property {RunState} state
 * @property {Conflict[]} conflicts
 *
 * @typedef {object} Calendar
 * @property {string} start
 * @property {string} end
 * @property {CalendarEntry[]} entries
 * @property {string|null} [lease_until]
 * @property {string|null} [lease_holder]
 * @property {boolean} cut
 *
 * @typedef {"webhook"|"ntfy"|"email"|"matrix"|"gotify"} TargetKind
 * @typedef {"swap"|"lock"|"schedule"|"health"|"service"} Topic
 *
 * @typedef {object} TargetView
 * @property {string} id
 * @property {string} name
 * @property {TargetKind} kind
 * @property {string|null} [url]
 * @property {string|null} [address]
 * @property {boolean} has_secret
 * @property {Topic[]} topics
 * @property {boolean} enabled
 * @property {string|null} [disabled_because]
 * @property {boolean} from_settings
 * @property {number} pending
 * @property {number} dead
 * @property {number} [dropped]
 * @property {number|null} [last_status]
 * @property {string|null} [last_error]
 * @property {string|null} [next_try_at]
 *
 * @typedef {object} DeliveryView
 * @property {string} id
 * @property {string} target
 * @property {string} event_id
 * @property {string} type
 * @property {"pending"|"delivered"|"dead"} state
 * @property {number} tries
 * @property {number|null} [status]
 * @property {number|null} [latency_ms]
 * @property {string|null} [error]
 * @property {string} created_at
 * @property {string|null} [tried_at]
 * @property {string|null} [next_try_at]
 * @property {boolean} test
 *
 * @typedef {object} DeadLetter
 * @property {number} number
 * @property {string} at
 * @property {string} stream
 * @property {string} sentence
 * @property {string} action
 * @property {number} message_number
 * @property {string|null} [subject]
 *
 * @typedef {object} CollectionView
 * @property {string} name
 * @property {number|null} [points]
 * @property {string|null} [problem]  Why Qdrant does not tell more of it.
 *
 * @typedef {{collection: string, snapshot: {name: string, size_bytes?: number|null}}} SnapshotTaken
 *
 * @typedef {object} HomeView
 * @property {string|null} [model]
 * @property {"off"|"loaded"|"waiting"|"respected"|"asking"|"backing_off"|"blocked"} state
 * @property {string} sentence  What it waits for or what to do.
 * @property {string|null} [next_try_at]
 *
 * @typedef {object} HolderAccount
 * @property {string} holder
 * @property {number} leases
 * @property {number} held_minutes
 * @property {number} idle_minutes
 * @property {number} swaps
 * @property {number} imposed_minutes
 *
 * @typedef {{since: string, until: string, holders: HolderAccount[], free_minutes: number, problems?: string[]}} Accountability
 */

/**
 * @typedef {object} KeyView
 * @property {string} id
 * @property {string} name
 * @property {("infer"|"admin")[]} scopes
 * @property {number} requests_per_minute  0: no limit.
 * @property {number} tokens_per_minute
 * @property {number} concurrency
 * @property {number} weight
 * @property {string[]} models
 * @property {string|null} [expires_at]
 * @property {boolean} enabled
 * @property {string} created_by
 * @property {string|null} [last_used_on]
 *
 * @typedef {object} RequestRow
 * @property {string} mark
 * @property {string} id
 * @property {string} at
 * @property {string} method
 * @property {string} path
 * @property {string} model
 * @property {number|null} [status]
 * @property {string} end
 * @property {number} total_ms
 * @property {number} queue_ms
 * @property {number|null} [prompt_tokens]
 * @property {number|null} [completion_tokens]
 * @property {boolean} tokens_estimated
 * @property {string} key
 * @property {string} user
 * @property {string} address
 * @property {string} client
 *
 * @typedef {{requests: RequestRow[], older_before?: number|null, problems?: string[]}} RequestPage
 */

export {};
