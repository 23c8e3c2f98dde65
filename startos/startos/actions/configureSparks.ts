import { configYaml } from '../fileModels/config.yaml'
import { i18n } from '../i18n'
import { sdk } from '../sdk'
import { addressPattern, problem, userPattern } from '../sparks'

const { InputSpec, Value } = sdk

const address = (name: string, required: boolean) => ({
  name,
  description: i18n(
    'Its IP address or host name on your network. A .local name does not resolve here.',
  ),
  required,
  default: null,
  placeholder: '192.0.2.11',
  maxLength: 253,
  patterns: [
    {
      regex: addressPattern,
      description: i18n('An IP address or a host name'),
    },
  ],
})

const login = (name: string, required: boolean) => ({
  name,
  description: i18n('The login name on this Spark. It needs no sudo.'),
  required,
  default: null,
  maxLength: 32,
  patterns: [
    {
      regex: userPattern,
      description: i18n('Letters, digits, dot, dash and underscore'),
    },
  ],
})

export const inputSpec = InputSpec.of({
  SPARK1_HOST: Value.text(address(i18n('Address of Spark 1'), true)),
  SPARK1_USER: Value.text(login(i18n('SSH user of Spark 1'), true)),
  SPARK2_HOST: Value.text(address(i18n('Address of Spark 2'), false)),
  SPARK2_USER: Value.text(login(i18n('SSH user of Spark 2'), false)),
})

const trimmed = (text: string | null | undefined) => text?.trim() || undefined

export const configureSparks = sdk.Action.withInput(
  'configure-sparks',
  async () => ({
    name: i18n('Configure Sparks'),
    description: i18n('Say where your DGX Sparks are and who logs in there.'),
    warning: i18n('Spark Control restarts when something changed.'),
    allowedStatuses: 'any',
    group: null,
    visibility: 'enabled',
  }),
  inputSpec,
  async () => {
    const kept = await configYaml.read().once()
    return {
      SPARK1_HOST: kept?.SPARK1_HOST,
      SPARK1_USER: kept?.SPARK1_USER,
      SPARK2_HOST: kept?.SPARK2_HOST,
      SPARK2_USER: kept?.SPARK2_USER,
    }
  },
  async ({ effects, input }) => {
    const asked = {
      SPARK1_HOST: trimmed(input.SPARK1_HOST),
      SPARK1_USER: trimmed(input.SPARK1_USER),
      SPARK2_HOST: trimmed(input.SPARK2_HOST),
      SPARK2_USER: trimmed(input.SPARK2_USER),
    }
    // The patterns are checked by the form alone; here is where it counts.
    const wrong = problem(asked)
    if (wrong) throw new Error(wrong)
    await configYaml.merge(effects, asked)
    return null
  },
)
