import { T } from '@start9labs/start-sdk'
import { sdk } from './sdk'
import { hostId, uiInterfaceId } from './utils'

/**
 * The domain names under which StartOS serves the dashboard.
 *
 * Addresses and `.local` names are always answered, so that a changed address of the server
 * restarts nothing here; a domain of the owner's has to be named to the gateway.
 */
export async function ownDomains(effects: T.Effects): Promise<string[]> {
  return sdk.host
    .getOwn(effects, hostId, (host) => {
      const found = Object.values(host?.bindings ?? {})
        .flatMap((binding) => Object.values(binding.interfaces))
        .filter((one) => one.id === uiInterfaceId)
        .flatMap((one) =>
          one.addressInfo.hostnames.map(({ hostname }) => hostname),
        )
        .filter((name) => /[A-Za-z]/.test(name) && !name.includes(':'))
        .filter((name) => name.includes('.') && !name.endsWith('.local'))
      return [...new Set(found)].sort()
    })
    .const()
}
