export const short = {
  en_US: 'The control plane of a private AI cluster on NVIDIA DGX Spark',
  es_ES: 'El panel de control de un clúster de IA privado en NVIDIA DGX Spark',
  de_DE: 'Die Steuerung eines privaten KI-Clusters auf NVIDIA DGX Spark',
  pl_PL: 'Sterowanie prywatnym klastrem AI na NVIDIA DGX Spark',
  fr_FR: 'Le pilotage d’une grappe d’IA privée sur NVIDIA DGX Spark',
}

export const long = {
  en_US:
    'Spark Control runs the models on your DGX Sparks: it shows what is loaded and healthy, switches, downloads and tests models, reserves the cluster, repairs what got stuck and says in plain words why something failed. Any OpenAI client on your network talks to the loaded model, to speech and to embeddings through one address. Nothing leaves your network.',
  es_ES:
    'Spark Control maneja los modelos de sus DGX Spark: muestra qué está cargado y sano, cambia, descarga y prueba modelos, reserva el clúster, repara lo que se atasca y dice con palabras claras por qué algo falló. Cualquier cliente de OpenAI de su red habla con el modelo cargado, la voz y los embeddings por una sola dirección. Nada sale de su red.',
  de_DE:
    'Spark Control betreibt die Modelle auf Ihren DGX Spark: Es zeigt, was geladen und gesund ist, wechselt, lädt und prüft Modelle, reserviert den Cluster, repariert, was hängt, und sagt in klaren Worten, warum etwas misslang. Jeder OpenAI-Client in Ihrem Netz erreicht Modell, Sprache und Embeddings unter einer Adresse. Nichts verlässt Ihr Netz.',
  pl_PL:
    'Spark Control prowadzi modele na Twoich DGX Spark: pokazuje, co jest wczytane i zdrowe, przełącza, pobiera i sprawdza modele, rezerwuje klaster, naprawia to, co utknęło, i mówi prostymi słowami, dlaczego coś się nie udało. Każdy klient OpenAI w Twojej sieci rozmawia z modelem, mową i embeddingami pod jednym adresem. Nic nie opuszcza Twojej sieci.',
  fr_FR:
    'Spark Control fait tourner les modèles de vos DGX Spark : il montre ce qui est chargé et en bonne santé, change, télécharge et teste les modèles, réserve la grappe, répare ce qui est bloqué et dit simplement pourquoi quelque chose a échoué. Tout client OpenAI de votre réseau joint le modèle, la voix et les embeddings par une seule adresse. Rien ne sort de votre réseau.',
}
