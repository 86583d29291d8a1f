import { normalised } from '../host/versions.ts';

/**
 * Modules of well-known packages, by the name under which pip installs them. None of them stores anything for a task. What is installed
 * says so itself (its metadata); this is for what is not.
 */
const NAMES: { readonly [module: string]: string } = {
  Crypto: 'pycryptodome',
  MySQLdb: 'mysqlclient',
  OpenSSL: 'pyOpenSSL',
  PIL: 'Pillow',
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  discord: 'discord.py',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  faiss: 'faiss-cpu',
  fitz: 'PyMuPDF',
  git: 'GitPython',
  github: 'PyGithub',
  googleapiclient: 'google-api-python-client',
  jose: 'python-jose',
  jwt: 'PyJWT',
  kafka: 'kafka-python',
  ldap: 'python-ldap',
  magic: 'python-magic',
  markdown: 'Markdown',
  multipart: 'python-multipart',
  nacl: 'PyNaCl',
  pptx: 'python-pptx',
  psycopg2: 'psycopg2-binary',
  pydantic_settings: 'pydantic-settings',
  pythonjsonlogger: 'python-json-logger',
  redshift_connector: 'redshift-connector',
  rest_framework: 'djangorestframework',
  serial: 'pyserial',
  sentence_transformers: 'sentence-transformers',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  slack_sdk: 'slack-sdk',
  slugify: 'python-slugify',
  snowflake: 'snowflake-connector-python',
  socks: 'PySocks',
  telegram: 'python-telegram-bot',
  umap: 'umap-learn',
  websocket: 'websocket-client',
  xlsxwriter: 'XlsxWriter',
  yaml: 'PyYAML',
  zmq: 'pyzmq',
};

const SAME =
  'aiohttp altair anthropic awswrangler azure bokeh boto3 botocore celery certifi chardet click cryptography cx_Oracle dash dask dbt django duckdb elasticsearch ' +
  'fastapi fastparquet feedparser flask fsspec gensim google gspread gspread_dataframe great_expectations gunicorn h5py holidays httpx humanize ibis idna jinja2 joblib ' +
  'jsonschema keras langchain lightgbm lxml matplotlib mlflow more_itertools mysql networkx nltk numba numpy oauthlib openai openpyxl optuna ' +
  'oracledb orjson pandas pandas_gbq pandera paramiko patsy pendulum pexpect plotly polars prefect prophet psutil psycopg pulp pyarrow pydantic pygsheets pymongo ' +
  'pymssql pymysql pyodbc pyparsing pyspark pytd pytest pytz ray redis regex requests requests_oauthlib retry rich s3fs scipy seaborn selenium sendgrid ' +
  'shapely simple_salesforce simplejson six spacy sqlalchemy sqlmodel starlette statsmodels streamlit stripe sympy tabulate tableauserverclient tdclient tenacity tensorflow ' +
  'tiktoken tomli toml torch torchvision tornado tqdm transformers twilio typing_extensions tzdata tzlocal ujson unidecode urllib3 uvicorn vertica_python ' +
  'watchdog wheel xgboost xlrd xlwt xmltodict zeep';

const WELL_KNOWN = new Set([...Object.keys(NAMES), ...SAME.split(' ')]);

export function isWellKnown(module: string): boolean {
  return WELL_KNOWN.has(module);
}

const DISTRIBUTIONS = new Set([...WELL_KNOWN].map((module) => normalised(distributionOf(module))));

/** @param name normalised */
export function isWellKnownDistribution(name: string): boolean {
  return DISTRIBUTIONS.has(name);
}

/** The package that pip would install for a module, as far as one can know. */
export function distributionOf(module: string): string {
  return Object.hasOwn(NAMES, module) ? NAMES[module]! : module.replaceAll('_', '-');
}
