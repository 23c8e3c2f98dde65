import { T } from '@start9labs/start-sdk'
import { sdk } from './sdk'
import { ServiceId, behindTheGateway, services } from './services'
import { secretsFolder } from './utils'

/** A service sees its own folder and the few secrets it needs, each as one read-only file. */
export function serviceContainer(effects: T.Effects, id: ServiceId) {
  const { secrets, data } = services[id]
  let mounts = sdk.Mounts.of()
  if (data)
    mounts = mounts.mountVolume({
      volumeId: 'main',
      subpath: id,
      mountpoint: '/data',
      readonly: false,
    })
  for (const secret of secrets)
    mounts = mounts.mountVolume({
      volumeId: 'startos',
      subpath: `${secretsFolder}/${secret}`,
      mountpoint: `/secrets/${secret}`,
      readonly: true,
      type: 'file',
    })
  return sdk.SubContainer.of(effects, { imageId: 'services' }, mounts, id)
}

export function natsContainer(effects: T.Effects) {
  const mounts = sdk.Mounts.of().mountVolume({
    volumeId: 'nats',
    subpath: null,
    mountpoint: '/data',
    readonly: false,
  })
  return sdk.SubContainer.of(effects, { imageId: 'nats' }, mounts, 'nats')
}

export function redisContainer(effects: T.Effects) {
  const mounts = sdk.Mounts.of().mountVolume({
    volumeId: 'main',
    subpath: 'redis',
    mountpoint: '/data',
    readonly: false,
  })
  return sdk.SubContainer.of(effects, { imageId: 'valkey' }, mounts, 'redis')
}

/** Where everything is prepared before anything runs; no daemon lives in it. */
export function preparingContainer(effects: T.Effects) {
  let mounts = sdk.Mounts.of()
    .mountVolume({
      volumeId: 'startos',
      subpath: secretsFolder,
      mountpoint: '/secrets',
      readonly: false,
    })
    .mountVolume({
      volumeId: 'nats',
      subpath: null,
      mountpoint: '/state/nats',
      readonly: false,
    })
    .mountVolume({
      volumeId: 'main',
      subpath: 'redis',
      mountpoint: '/state/redis',
      readonly: false,
    })
  for (const id of behindTheGateway)
    mounts = mounts.mountVolume({
      volumeId: 'main',
      subpath: id,
      mountpoint: `/state/${id}`,
      readonly: false,
    })
  return sdk.SubContainer.of(
    effects,
    { imageId: 'services' },
    mounts,
    'prepare',
  )
}
