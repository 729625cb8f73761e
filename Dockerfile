# The service alone: no training, no window. docs/deploy.md says how to run it.
FROM python:3.12-slim AS build
RUN python -m venv /opt/hcr_live
ENV PATH=/opt/hcr_live/bin:$PATH
WORKDIR /src
COPY pyproject.toml ./
# What it needs first: a change of the code leaves this layer as it is. The OpenCV without
# windows, since the other one asks for libraries of a desktop that a slim image lacks.
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*p['dependencies'], *p['optional-dependencies']['serve'], sep='\n')" \
  | sed 's/^opencv-python\b/opencv-python-headless/' > requirements.txt \
  && pip install --no-cache-dir -r requirements.txt
COPY README.md LICENSE ./
COPY models models
COPY hcr_live hcr_live
RUN pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin hcr
COPY --from=build /opt/hcr_live /opt/hcr_live
ENV PATH=/opt/hcr_live/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["hcr-live", "serve", "--host", "0.0.0.0"]
