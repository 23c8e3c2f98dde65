export const DEFAULT_LANG = 'en_US'

const dict = {
  // main.ts
  'Starting Spark Control': 0,

  // daemons.ts
  'Event bus': 1,
  Record: 2,
  'Dashboard and API': 3,
  'Reservations and schedules': 4,
  'Model switching': 5,
  'Watch over the cluster': 6,
  Speech: 7,
  Redaction: 8,
  'DGX Spark cluster': 9,
  'Run the Configure Sparks action first': 10,

  // probes.ts, cluster.ts
  '${name} answers': 11,
  '${name} does not answer': 12,
  '${name} is not ready yet: ${reasons}': 13,
  'Nobody watches the Sparks at the moment': 14,
  'Every Spark answers': 15,

  // interfaces.ts
  'Web UI': 16,
  'The dashboard of your Sparks': 17,
  'OpenAI-compatible API': 18,
  'The base URL for every OpenAI client': 19,

  // actions/configureSparks.ts, init/askForSparks.ts
  'Configure Sparks': 20,
  'Say where your DGX Sparks are and who logs in there.': 21,
  'Say where your DGX Sparks are': 22,
  'Spark Control restarts when something changed.': 23,
  'Address of Spark 1': 24,
  'SSH user of Spark 1': 25,
  'Address of Spark 2': 26,
  'SSH user of Spark 2': 27,
  'Its IP address or host name on your network. A .local name does not resolve here.': 28,
  'An IP address or a host name': 29,
  'The login name on this Spark. It needs no sudo.': 30,
  'Letters, digits, dot, dash and underscore': 31,

  // actions/showPublicKey.ts
  'Show SSH Public Key': 32,
  'The line that lets Spark Control log in to your Sparks.': 33,
  'SSH public key': 34,
  'The key is made at the first start: start Spark Control and look again.': 35,
  'Add this line to ~/.ssh/authorized_keys of the SSH user on every Spark.': 36,

  // actions/setSecrets.ts
  'Set Secrets': 37,
  'Give Spark Control the keys of other services.': 38,
  'Leave empty to keep it': 39,
  'Hugging Face token': 40,
  'For models that want one to be downloaded.': 41,
  'NVIDIA NGC key': 42,
  'For installing NIM services.': 43,
  'Webhook secret': 44,
  'Signs what is delivered to your webhook.': 45,
} as const

export type I18nKey = keyof typeof dict
export type LangDict = Record<(typeof dict)[I18nKey], string>
export default dict
