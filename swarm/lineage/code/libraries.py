"""Libraries whose source need not be at hand: what they do with data is known, or it is nothing.

`DATA` are the libraries that the tables of known calls know. `OTHER` are about something else than
data, so a call into one of them hides no access. A call into any other module that is not given
is reported. Names are those of imports.
"""

import sys

_DATA = """
    azure delta deltalake
    adlfs aiobotocore aioboto3 aiosqlite asyncpg awswrangler boto3 botocore clickhouse_connect
    clickhouse_driver connectorx cx_Oracle databricks duckdb fastparquet fsspec gcsfs geopandas
    google mysql numpy openpyxl oracledb pandas pandas_gbq paramiko polars psycopg psycopg2 pyarrow
    pyathena pymssql pymysql pyodbc pyspark redshift_connector s3fs s3path smart_open snowflake
    sqlalchemy sqlite_utils sqlmodel trino universal_pathlib upath xlsxwriter
"""
_OTHER = """
    airflow aiohttp alembic anyio apprise arrow asgiref astroid async_timeout attr attrs backoff
    bs4 cachetools cattr cattrs cerberus chardet charset_normalizer click cloudpickle colorama
    colorlog cron_descriptor croniter cryptography cycler dagster datadog dateparser dateutil
    decouple deepdiff discord distro docker docopt dotenv dynaconf environ environs faker fastapi
    filelock fire flask freezegun gevent greenlet grpc h3 holidays httpx humanize hvac hydra
    hypothesis icecream idna inflection isodate jax jinja2 joblib json5 jsonpath_ng jsonschema jwt
    keras keyring kombu kubernetes lightgbm loguru lxml mako markdown markupsafe marshmallow
    matplotlib mock more_itertools msgpack msgspec mypy_extensions nacl networkx newrelic nltk
    numba omegaconf opentelemetry orjson packaging passlib pendulum phonenumbers PIL pkg_resources
    platformdirs plotly ply prefect prettytable prometheus_client psutil pyasn1 pybreaker pydantic
    pydantic_core pydantic_settings pygments pymsteams pyparsing pytest pythonjsonlogger pytz
    pyximport rapidfuzz ray regex requests requests_toolbelt retry retrying rich rsa ruamel scipy
    seaborn sendgrid sentry_sdk setuptools shapely simplejson six sklearn slack slack_sdk slugify
    sniffio sortedcontainers spacy sqlglot sqlparse starlette statsd statsmodels stripe structlog
    sympy tabulate tenacity tensorflow termcolor text_unidecode threadpoolctl tiktoken tomli
    tomlkit toolz torch tornado tqdm transformers twilio typeguard typer typing_extensions tzdata
    tzlocal ujson unidecode urllib3 uvicorn validators voluptuous wcwidth websocket websockets
    werkzeug wrapt xgboost xmltodict xxhash yaml yarl zoneinfo zstandard
"""
# Packages that an orchestrator's own project publishes, by the start of their name.
_FAMILIES = ("airflow_", "dagster_", "prefect_")

OWN = "swarm"
"""The module of what the reading itself puts in the place of a value."""

DATA = frozenset(_DATA.split())
OTHER = frozenset(_OTHER.split())
STANDARD = sys.stdlib_module_names | {"builtins"}


def is_known(module: str) -> bool:
    """Whether a call into the module may go unreported although its source is not given."""
    root = module.partition(".")[0]
    return (
        root == OWN
        or root in STANDARD
        or root in DATA
        or root in OTHER
        or root.startswith(_FAMILIES)
    )
