import { publicKey } from '../fileModels/secrets'
import { i18n } from '../i18n'
import { sdk } from '../sdk'

export const showPublicKey = sdk.Action.withoutInput(
  'show-public-key',
  async () => ({
    name: i18n('Show SSH Public Key'),
    description: i18n(
      'The line that lets Spark Control log in to your Sparks.',
    ),
    warning: null,
    allowedStatuses: 'any',
    group: null,
    visibility: 'enabled',
  }),
  async () => {
    const title = i18n('SSH public key')
    const key = (await publicKey.read().once())?.trim()
    if (!key)
      return {
        version: '1' as const,
        title,
        message: i18n(
          'The key is made at the first start: start Spark Control and look again.',
        ),
        result: null,
      }
    return {
      version: '1' as const,
      title,
      message: i18n(
        'Add this line to ~/.ssh/authorized_keys of the SSH user on every Spark.',
      ),
      result: {
        type: 'single' as const,
        value: key,
        copyable: true,
        qr: false,
        masked: false,
      },
    }
  },
)
