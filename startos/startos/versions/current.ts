import { IMPOSSIBLE, VersionInfo } from '@start9labs/start-sdk'
import { sdk } from '../sdk'
import { moveOldData } from './moveOldData'

export const current = VersionInfo.of({
  // The number of the file VERSION; scripts/set-version.sh writes both.
  version: '1.0.0:0',
  releaseNotes: {
    en_US:
      'Spark Control is now six services on an event bus. Your Sparks, SSH key, recipes, settings and redaction map come along; there is nothing to do.',
    es_ES:
      'Spark Control es ahora seis servicios sobre un bus de eventos. Sus Spark, la clave SSH, las recetas, los ajustes y el mapa de anonimización se conservan; no hay nada que hacer.',
    de_DE:
      'Spark Control besteht jetzt aus sechs Diensten an einem Ereignisbus. Ihre Sparks, SSH-Schlüssel, Rezepte, Einstellungen und die Schwärzungstabelle kommen mit; es ist nichts zu tun.',
    pl_PL:
      'Spark Control to teraz sześć usług na szynie zdarzeń. Twoje Sparki, klucz SSH, przepisy, ustawienia i mapa anonimizacji pozostają; nie trzeba nic robić.',
    fr_FR:
      'Spark Control se compose désormais de six services sur un bus d’événements. Vos Spark, la clé SSH, les recettes, les réglages et la table d’anonymisation sont conservés ; il n’y a rien à faire.',
  },
  migrations: {
    up: async () => {
      await moveOldData(sdk.volumes.main.path, sdk.volumes.startos.path)
    },
    down: IMPOSSIBLE,
  },
})
