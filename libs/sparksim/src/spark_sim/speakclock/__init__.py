"""The speaking clock: words as tones, so that a simulator hears what really is in a recording.

A word is a tone that says "here", two tones of sixteen for each of its bytes, and two for their
sum. Every speaker has a band of his own, so those who speak at once are told apart. A damaged word
is missed and never misheard. What came through WebM, MP3, AAC, FLAC or a telephone is understood.

Imported when it is needed and not before: it brings NumPy and PyAV along.
"""
