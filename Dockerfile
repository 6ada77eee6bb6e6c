# Two targets: `service` does not contain TensorFlow, `worker` does.
FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 FITSERVE_HOME=/data
RUN useradd --create-home --uid 10001 fitserve && install -d -o fitserve /data
WORKDIR /app

FROM base AS service
COPY requirements/service.lock requirements/
RUN pip install -r requirements/service.lock
COPY . .
RUN pip install --no-deps .
USER fitserve
ENV FITSERVE_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["python", "-c", \
  "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["python", "-m", "service"]

FROM base AS worker
COPY requirements/worker.lock requirements/
RUN pip install -r requirements/worker.lock
COPY . .
RUN pip install --no-deps .
USER fitserve
CMD ["python", "-m", "workers"]
