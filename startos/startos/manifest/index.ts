import { setupManifest } from '@start9labs/start-sdk'
import { long, short } from './i18n'

// `make` fills it in from the remote of the checkout; the package itself never reads it.
const repository = process.env.PACKAGE_REPO || 'https://spark-control.invalid/'

export const manifest = setupManifest({
  id: 'spark-control',
  title: 'Spark Control',
  license: 'MIT',
  packageRepo: repository,
  upstreamRepo: repository,
  marketingUrl: repository,
  donationUrl: null,
  description: { short, long },
  volumes: ['main', 'startos', 'nats'],
  images: {
    services: {
      source: {
        dockerBuild: { workdir: '..', dockerfile: '../deploy/Dockerfile' },
      },
      arch: ['x86_64', 'aarch64'],
    },
    nats: {
      source: { dockerTag: 'nats:2.12-alpine' },
      arch: ['x86_64', 'aarch64'],
    },
    valkey: {
      source: { dockerTag: 'valkey/valkey:9-alpine' },
      arch: ['x86_64', 'aarch64'],
    },
  },
  dependencies: {},
  hardwareRequirements: { ram: 2048 },
})
