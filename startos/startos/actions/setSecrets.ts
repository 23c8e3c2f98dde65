import { secretFiles, writeSecret } from '../fileModels/secrets'
import { i18n } from '../i18n'
import { sdk } from '../sdk'

const { InputSpec, Value } = sdk

const secret = (name: string, description: string) => ({
  name,
  description,
  required: false,
  default: null,
  masked: true,
  maxLength: 500,
  placeholder: i18n('Leave empty to keep it'),
})

export const inputSpec = InputSpec.of({
  hf_token: Value.text(
    secret(
      i18n('Hugging Face token'),
      i18n('For models that want one to be downloaded.'),
    ),
  ),
  ngc_api_key: Value.text(
    secret(i18n('NVIDIA NGC key'), i18n('For installing NIM services.')),
  ),
  webhook_secret: Value.text(
    secret(
      i18n('Webhook secret'),
      i18n('Signs what is delivered to your webhook.'),
    ),
  ),
})

export const setSecrets = sdk.Action.withInput(
  'set-secrets',
  async () => ({
    name: i18n('Set Secrets'),
    description: i18n('Give Spark Control the keys of other services.'),
    warning: i18n('Spark Control restarts when something changed.'),
    allowedStatuses: 'any',
    group: null,
    visibility: 'enabled',
  }),
  inputSpec,
  // What is kept is never shown again.
  async () => ({}),
  async ({ input }) => {
    const given: [(typeof secretFiles)[number], string][] = []
    for (const name of secretFiles) {
      const value = input[name]?.trim()
      if (!value) continue
      if (!/^[\x21-\x7e]+$/.test(value))
        throw new Error(
          `${name}: a secret has no blanks and no special characters`,
        )
      given.push([name, value])
    }
    for (const [name, value] of given) await writeSecret(name, value)
    return null
  },
)
