import table from './definition.json'

export type ServiceId = keyof typeof table

/** What one service is given; the file is compared with deploy/compose.yaml by a test. */
export type ServiceFacts = {
  environment: Record<string, string>
  /** Files below the secrets, each mounted alone under /secrets. */
  secrets: string[]
  sparks: boolean
  data: boolean
}

export const services: Record<ServiceId, ServiceFacts> = table

/** In the order of their rows on the service page; the gateway comes last. */
export const behindTheGateway = [
  'coordinator',
  'swapper',
  'health',
  'audio-proxy',
  'redaction',
] as const satisfies readonly ServiceId[]

export const port = (id: ServiceId) =>
  Number(services[id].environment.BIND_PORT)
export const module = (id: ServiceId) => `spark_${id.replace('-', '_')}`
