import { sdk } from '../sdk'
import { configureSparks } from './configureSparks'
import { setSecrets } from './setSecrets'
import { showPublicKey } from './showPublicKey'

export const actions = sdk.Actions.of()
  .addAction(configureSparks)
  .addAction(showPublicKey)
  .addAction(setSecrets)
