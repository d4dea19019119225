# The bridge as an image: built in one stage, run from another that holds neither compiler nor pip cache.
# Another base is named with --build-arg BASE_IMAGE=…; it must bring Python 3.11 or later and its venv module.
ARG BASE_IMAGE=python:3.12-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
RUN python3 -m venv /opt/salesforce-bridge && python3 -m venv /opt/build
# What is installed, and what builds it, is exactly what was tested: every file is checked against its hash.
COPY requirements/main.txt requirements/build.txt requirements/
RUN /opt/salesforce-bridge/bin/pip install --no-cache-dir --require-hashes -r requirements/main.txt \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY deploy/salesforce deploy/salesforce
COPY salesforce_bridge salesforce_bridge
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/salesforce-bridge/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="salesforce_bridge" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/salesforce-bridge /opt/salesforce-bridge
# The user has a name as well, for whoever asks who it is. A volume that is mounted here for the first time takes
# over the owner of the folder.
RUN echo 'bridge:x:10001:10001::/var/lib/salesforce-bridge:/usr/sbin/nologin' >> /etc/passwd \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/salesforce-bridge \
    && install -d -m 0755 /etc/salesforce-bridge
ENV PATH=/opt/salesforce-bridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SALESFORCE_BRIDGE_LOGS__FORMAT=json \
    SALESFORCE_BRIDGE_WEB__HOST=0.0.0.0
WORKDIR /var/lib/salesforce-bridge
USER 10001:10001
EXPOSE 8088
STOPSIGNAL SIGTERM
# /healthz answers 503 when a person has to look, and urlopen fails on that.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8088/healthz', timeout=4)"]
ENTRYPOINT ["salesforce-bridge"]
CMD ["run"]
