import { FileHelper } from '@start9labs/start-sdk'
import { createHash } from 'node:crypto'
import { sdk } from '../sdk'
import { secretsFolder } from '../utils'

/** The secrets that a person sets, each a file of its own. */
export const secretFiles = [
  'hf_token',
  'ngc_api_key',
  'webhook_secret',
] as const

export type SecretFile = (typeof secretFiles)[number]

const subpath = (name: string) => `${secretsFolder}/${name}`

/** Write one in place: the file may be mounted, and a mount does not follow a rename. */
export async function writeSecret(name: SecretFile, value: string) {
  await sdk.volumes.startos.writeFile(subpath(name), value, { mode: 0o600 })
}

/** Something that changes with the secret and does not tell it. */
export function fingerprint(name: SecretFile) {
  return FileHelper.string({
    base: sdk.volumes.startos,
    subpath: subpath(name),
  }).read((value) => createHash('sha256').update(value).digest('hex'))
}

/** The public half of the SSH key; null before the first start made it. */
export const publicKey = FileHelper.string({
  base: sdk.volumes.startos,
  subpath: subpath('ssh/id_ed25519.pub'),
})
