import { T } from '@start9labs/start-sdk'
import { sparksAnswer } from './cluster'
import { serviceContainer } from './containers'
import { i18n } from './i18n'
import { Answer, natsAnswers, redisAnswers, serviceAnswers } from './probes'
import { sdk } from './sdk'
import { ServiceId, module, port, services } from './services'
import { serviceUser } from './utils'

// A row is looked at every five seconds, and every second while it is not well.
const trigger = sdk.trigger.statusTrigger(5_000, {
  starting: 1_000,
  failure: 1_000,
  waiting: 1_000,
})
const gracePeriod = 60_000

function row(display: string, fn: () => Promise<Answer>) {
  return { display, fn, gracePeriod, trigger }
}

export function sidecarRows() {
  const nats = i18n('Event bus')
  const redis = i18n('Record')
  return {
    nats: row(nats, () => natsAnswers(nats)),
    redis: row(redis, () => redisAnswers(redis)),
  }
}

export function serviceRows() {
  const named: Record<ServiceId, string> = {
    gateway: i18n('Dashboard and API'),
    coordinator: i18n('Reservations and schedules'),
    swapper: i18n('Model switching'),
    health: i18n('Watch over the cluster'),
    'audio-proxy': i18n('Speech'),
    redaction: i18n('Redaction'),
  }
  const of = (id: ServiceId) =>
    row(named[id], () => serviceAnswers(named[id], port(id)))
  return {
    gateway: of('gateway'),
    coordinator: of('coordinator'),
    swapper: of('swapper'),
    health: of('health'),
    'audio-proxy': of('audio-proxy'),
    redaction: of('redaction'),
  }
}

/** How the Sparks are, apart from every daemon. */
export function clusterCheck(configured: boolean) {
  const unset: Answer = {
    result: 'disabled',
    message: i18n('Run the Configure Sparks action first'),
  }
  return {
    ready: row(i18n('DGX Spark cluster'), async () =>
      configured ? sparksAnswer() : unset,
    ),
    requires: [],
  }
}

/** What every one of our six has in common. `sparks`: the variables of the Sparks, and more. */
export function serviceDaemon(
  effects: T.Effects,
  id: ServiceId,
  more: Record<string, string>,
) {
  const facts = services[id]
  const command: [string, ...string[]] = ['python', '-m', module(id)]
  return {
    subcontainer: serviceContainer(effects, id),
    exec: {
      command,
      user: serviceUser,
      // A swap in flight goes on at the Sparks and is adopted at the next start.
      sigtermTimeout: 30_000,
      env: {
        MALLOC_ARENA_MAX: '2',
        ...facts.environment,
        ...(facts.sparks ? more : {}),
      },
    },
  }
}
