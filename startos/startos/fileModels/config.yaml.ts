import { FileHelper, z } from '@start9labs/start-sdk'
import { sdk } from '../sdk'

const text = z.string().optional().catch(undefined)

/** What Configure Sparks keeps, by the names of the services' variables. */
export const shape = z.object({
  SPARK1_HOST: text,
  SPARK1_USER: text,
  SPARK2_HOST: text,
  SPARK2_USER: text,
})

export type Config = z.infer<typeof shape>

export const configYaml = FileHelper.yaml(
  { base: sdk.volumes.main, subpath: './config.yaml' },
  shape,
)
