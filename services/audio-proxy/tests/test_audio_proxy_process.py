"""audio-proxy as a process, against real NATS and Redis."""

from spark_common.testing.service_exam import ServiceExam


class TestAudioProxy(ServiceExam):
    name = "audio-proxy"
    module = "spark_audio_proxy"
