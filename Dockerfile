# The hub's image: a locked environment and nothing else, run by a user without rights.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/hub && python -m venv /opt/build
COPY requirements.lock requirements-dev.lock /src/
RUN /opt/hub/bin/pip install --no-deps --requirement /src/requirements.lock && /opt/hub/bin/pip check
RUN /opt/build/bin/pip install --no-deps --constraint /src/requirements-dev.lock setuptools
COPY pyproject.toml /src/
COPY crm_core /src/crm_core
COPY routing /src/routing
COPY channels /src/channels
COPY hub /src/hub
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src \
 && /opt/hub/bin/pip install --no-deps /wheels/*.whl \
 && /opt/hub/bin/python -m compileall -q /opt/hub/lib

FROM python:3.11-slim-bookworm
# What pages are printed to PDF with: the text engine and a font that knows Cyrillic.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 hub \
 && useradd --uid 10001 --gid hub --home-dir /var/lib/hub --create-home --shell /usr/sbin/nologin hub \
 && install -d -o hub -g hub /etc/hub
COPY --from=build /opt/hub /opt/hub
ENV PATH=/opt/hub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HUB_HTTP=0.0.0.0:8080 HUB_FILES=/var/lib/hub/files HUB_DATABASE_URL=sqlite+aiosqlite:////var/lib/hub/hub.sqlite3 \
    HUB_LOG=json
WORKDIR /var/lib/hub
VOLUME /var/lib/hub
USER hub
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["hub"]
CMD ["run"]
