import { sdk } from './sdk'

// The service is stopped meanwhile, so the files of all three agree with each other.
export const { createBackup, restoreInit } = sdk.setupBackups(async () =>
  sdk.Backups.ofVolumes('main', 'startos', 'nats'),
)
