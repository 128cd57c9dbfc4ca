# The program as a container: `docker build -t gialai-soc .`, then `docker run --rm gialai-soc --help`.
FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements.lock ./
# Every wheel is checked against the hash in the lock file; what only development needs is in there too and does no harm.
RUN python -m venv /opt/soc && /opt/soc/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY connectors connectors
COPY dashboards dashboards
COPY detectors detectors
COPY flows flows
COPY rules rules
RUN /opt/soc/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 soc && install --directory --owner soc /data
COPY --from=build /opt/soc /opt/soc
ENV PATH=/opt/soc/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false
USER soc
# Archive, store and compiled rules; mount a volume here.
WORKDIR /data
VOLUME /data
ENTRYPOINT ["soc"]
CMD ["--help"]
