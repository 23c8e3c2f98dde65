// Names that others rely on. Dependants and dashboards key on the ids: they never change.

export const hostId = 'main'
export const uiInterfaceId = 'ui'
export const apiInterfaceId = 'api'
export const uiPort = 9999

/** The user of our own image. */
export const serviceUser = 'spark'
/** NATS and Valkey run as nobody, whom every Alpine knows. */
export const sidecarUser = 'nobody'

/** Below the volume `startos`, which no service sees as a whole. */
export const secretsFolder = 'secrets'
