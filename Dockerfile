# The service, the worker and the commands, in one image:
#   docker build --tag catchment .
FROM python:3.12-slim AS build
WORKDIR /srv/catchment
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY LICENSE pyproject.toml ./
COPY openapi/python openapi/python
COPY app app
COPY migrations migrations
RUN /venv/bin/pip install --no-cache-dir --no-deps ./openapi/python --editable .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home catchment \
  && install --directory --owner=catchment --mode=0700 /data
COPY --from=build /venv /venv
COPY --from=build /srv/catchment /srv/catchment
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 CATCHMENT_HOST=0.0.0.0
# The embedded database and the master key, where no settings say otherwise: /data/var.
WORKDIR /data
VOLUME /data
USER catchment
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["catchment", "serve"]
