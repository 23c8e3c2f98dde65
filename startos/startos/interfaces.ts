import { i18n } from './i18n'
import { sdk } from './sdk'
import { apiInterfaceId, hostId, uiInterfaceId, uiPort } from './utils'

export const setInterfaces = sdk.setupInterfaces(async ({ effects }) => {
  const host = sdk.MultiHost.of(effects, hostId)
  const origin = await host.bindPort(uiPort, { protocol: 'http' })
  const common = {
    masked: false,
    schemeOverride: null,
    username: null,
    query: {},
  }
  const receipt = await origin.export([
    sdk.createInterface(effects, {
      ...common,
      id: uiInterfaceId,
      name: i18n('Web UI'),
      description: i18n('The dashboard of your Sparks'),
      type: 'ui',
      path: '',
    }),
    sdk.createInterface(effects, {
      ...common,
      id: apiInterfaceId,
      name: i18n('OpenAI-compatible API'),
      description: i18n('The base URL for every OpenAI client'),
      type: 'api',
      path: '/v1',
    }),
  ])
  return [receipt]
})
