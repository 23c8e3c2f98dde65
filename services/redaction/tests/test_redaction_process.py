"""redaction as a process, against real NATS and Redis."""

from spark_common.testing.service_exam import ServiceExam


class TestRedaction(ServiceExam):
    name = "redaction"
    module = "spark_redaction"
