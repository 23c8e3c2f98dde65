import {
  clusterCheck,
  serviceDaemon,
  serviceRows,
  sidecarRows,
} from './daemons'
import { natsContainer, preparingContainer, redisContainer } from './containers'
import { configYaml } from './fileModels/config.yaml'
import { fingerprint, secretFiles } from './fileModels/secrets'
import { gate } from './gates'
import { i18n } from './i18n'
import { ownDomains } from './names'
import { chownCommand, initCommand } from './preparing'
import { natsAnswers, redisAnswers, serviceAnswers } from './probes'
import { sdk } from './sdk'
import { behindTheGateway, port } from './services'
import { sparkVariables } from './sparks'
import { sidecarUser } from './utils'

export const main = sdk.setupMain(async ({ effects }) => {
  console.info(i18n('Starting Spark Control'))

  // Only what needs new processes is read with const; what stands under the gear is not here.
  const sparks = await configYaml.read(sparkVariables).const(effects)
  for (const name of secretFiles) await fingerprint(name).const(effects)
  const proxied = {
    ALLOWED_HOSTS: (await ownDomains(effects)).join(' '),
    TRUSTED_PROXIES: await sdk.getOsIp(effects),
  }

  const prepare = preparingContainer(effects)
  const sidecars = sidecarRows()
  const rows = serviceRows()
  const base = sdk.Daemons.of(effects)
    .addOneshot('init', {
      subcontainer: prepare,
      exec: { command: initCommand, user: 'root' },
      requires: [],
    })
    .addOneshot('chown', {
      subcontainer: prepare,
      exec: { command: chownCommand, user: 'root' },
      requires: ['init'],
    })
    .addDaemon('nats', {
      subcontainer: natsContainer(effects),
      exec: {
        command: ['nats-server', '-c', '/data/nats.conf'],
        user: sidecarUser,
        sigtermTimeout: 15_000,
      },
      ready: sidecars.nats,
      requires: ['chown'],
    })
    .addDaemon('redis', {
      subcontainer: redisContainer(effects),
      exec: {
        command: ['valkey-server', '/data/redis.conf'],
        user: sidecarUser,
        sigtermTimeout: 15_000,
      },
      ready: sidecars.redis,
      requires: ['chown'],
    })

  if (!sparks) return base.addHealthCheck('sparks', clusterCheck(false))

  return base
    .addOneshot('await-bus', {
      subcontainer: null,
      exec: {
        fn: (_, abort) =>
          gate(
            [() => natsAnswers('NATS'), () => redisAnswers('Valkey')],
            30_000,
            abort,
          ),
      },
      requires: ['chown'],
    })
    .addDaemon('coordinator', {
      ...serviceDaemon(effects, 'coordinator', sparks),
      ready: rows.coordinator,
      requires: ['await-bus'],
    })
    .addDaemon('swapper', {
      ...serviceDaemon(effects, 'swapper', sparks),
      ready: rows.swapper,
      requires: ['await-bus'],
    })
    .addDaemon('health', {
      ...serviceDaemon(effects, 'health', sparks),
      ready: rows.health,
      requires: ['await-bus'],
    })
    .addDaemon('audio-proxy', {
      ...serviceDaemon(effects, 'audio-proxy', sparks),
      ready: rows['audio-proxy'],
      requires: ['await-bus'],
    })
    .addDaemon('redaction', {
      ...serviceDaemon(effects, 'redaction', sparks),
      ready: rows.redaction,
      requires: ['await-bus'],
    })
    .addOneshot('await-services', {
      subcontainer: null,
      exec: {
        fn: (_, abort) =>
          gate(
            behindTheGateway.map((id) => () => serviceAnswers(id, port(id))),
            45_000,
            abort,
          ),
      },
      requires: ['await-bus'],
    })
    .addDaemon('gateway', {
      ...serviceDaemon(effects, 'gateway', { ...sparks, ...proxied }),
      ready: rows.gateway,
      requires: ['await-services'],
    })
    .addHealthCheck('sparks', { ...clusterCheck(true), requires: ['gateway'] })
})
