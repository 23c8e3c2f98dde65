import { configureSparks } from '../actions/configureSparks'
import { configYaml } from '../fileModels/config.yaml'
import { i18n } from '../i18n'
import { sdk } from '../sdk'
import { sparkVariables } from '../sparks'

/** One task on a fresh install, or when what an update or a restore brought cannot be used. */
export const askForSparks = sdk.setupOnInit(async (effects, kind) => {
  if (kind === null) return
  if (await configYaml.read(sparkVariables).once()) return
  await sdk.action.createOwnTask(effects, configureSparks, 'critical', {
    reason: i18n('Say where your DGX Sparks are'),
  })
})
