"""health as a process, against real NATS and Redis."""

from spark_common.testing.service_exam import ServiceExam


class TestHealth(ServiceExam):
    name = "health"
    module = "spark_health"
