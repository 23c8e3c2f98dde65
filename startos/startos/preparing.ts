import { behindTheGateway } from './services'
import { serviceUser, sidecarUser } from './utils'

/** Keeps the keys it finds and writes the configuration of NATS and Valkey anew, as in compose. */
export const initCommand: [string, ...string[]] = [
  'sparkctl',
  'init',
  '--dir=/secrets',
  '--nats-config=/state/nats/nats.conf',
  '--nats-listen=127.0.0.1:4222',
  '--redis-config=/state/redis/redis.conf',
  '--redis-listen=127.0.0.1:6379',
  '--state=/data',
]

const ours = ['/secrets', ...behindTheGateway.map((id) => `/state/${id}`)]

/** Volumes belong to root at first: hand every folder to the one who works in it. */
export const chownCommand: [string, ...string[]] = [
  'sh',
  '-c',
  [
    `chown -R ${serviceUser}:${serviceUser} ${ours.join(' ')}`,
    `chown -R ${sidecarUser}: /state/nats /state/redis`,
    'chmod -R go-rwx /secrets /state/*',
  ].join(' && '),
]
