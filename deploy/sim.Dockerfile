# The image of all services, with the two simulated Sparks beside them. Never needed for real ones.
ARG SPARK_CONTROL_IMAGE=spark-control:dev
FROM ${SPARK_CONTROL_IMAGE}
COPY libs/sparksim/src/spark_sim /opt/spark/sim/spark_sim
ENV PYTHONPATH=/opt/spark/sim
CMD ["python", "-m", "spark_sim", "--help"]
