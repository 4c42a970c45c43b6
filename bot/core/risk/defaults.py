"""The rules that hold where nothing is configured: what most teams want a person to look at."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from bot.core.assessment import Impact
from bot.core.risk.matching import named_files
from bot.core.risk.rules import ASKING, RISKIEST, Condition, Rule, Step


def _by_words(name: str, tier: str, why: str, words: str, *paths: str, but: str = "") -> Rule:
    """A rule on files by words in their names (parted by commas), or by patterns."""
    named = tuple(word.strip() for word in words.split(",") if word.strip())
    # A pipeline's file is named after what it does, and has a rule of its own.
    left_out = (*but.split(), *((".github/", ".gitlab/", ".circleci/") if named else ()))
    when = Condition(paths=paths, but=left_out, words=named, but_harmless=True)
    return Rule(name, tier, why, when)


_MONEY: Final = _by_words(
    "billing",
    RISKIEST,
    "it touches what bills or is paid",
    "billing, bill, biller, payment, payout, paying, checkout, invoice, invoicing, pricing, price,"
    "subscription, refund, charge, chargeback, ledger, accounting, tax, vat, wallet, credit card,"
    "stripe, paypal, adyen, braintree, chargebee, recurly, coupon, discount, dunning, money,"
    "payroll",
    but="*.css",
)
_SIGN_IN: Final = _by_words(
    "authentication",
    RISKIEST,
    "it touches how users sign in, or what keeps them signed in",
    "auth, authn, authentication, authenticate, authenticator, login, logout, sign in,"
    "signin, sign out, signout, sign up, signup, session, sso, saml, oidc, oauth, oauth2, openid, ldap,"
    "scim, password, passwd, passcode, passkey, mfa, 2fa, totp, otp, two factor, webauthn, csrf, captcha,"
    "crypto, cryptography, encryption, encrypt, decrypt, encryptor, cipher, jwt, jwk, jwks,"
    "access token, refresh token, api key, api token, security",
)
_PERMISSIONS: Final = _by_words(
    "permissions",
    RISKIEST,
    "it touches who may do what",
    "permission, role, acl, rbac, abac, policy, authz, authorization, authorize, authorizer,"
    "access control, access level, privilege, entitlement, impersonate, impersonation, impersonator,"
    "cors, iam",
)
_TENANCY: Final = _by_words(
    "tenancy",
    RISKIEST,
    "it touches what keeps one customer's data from another's",
    "tenant, tenancy, multitenant, multitenancy, multi tenant, row level security, rls, sharding",
)
_SECRETS: Final = _by_words(
    "secrets",
    RISKIEST,
    "it touches secrets, or where they are kept",
    "secret, credential, vault, keystore, truststore, keyring, kms, sops",
    *(".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("id_rsa*", "id_ed25519*", ".npmrc", ".pypirc", ".netrc", ".htpasswd", "*.kdbx"),
    but=".env.example .env.sample .env.template .env.*.example .env.test *.env.example .env.dist",
)
_QUEUES: Final = _by_words(
    "queues",
    ASKING,
    "it touches queues or background work, which a share of the requests does not put to the test",
    "queue, worker, job, celery, celerybeat, celeryconfig, sidekiq, resque, kafka, rabbitmq, amqp, sqs, pubsub,"
    "consumer, producer, cron, crontab, cronjob, scheduler, background task,"
    "dramatiq, bullmq, delayed job, outbox",
    *("tasks.py", "**/tasks/*.py"),
)
_INFRASTRUCTURE: Final = _by_words(
    "infrastructure",
    ASKING,
    "it changes what the service is built from or runs on",
    "",
    *("Dockerfile*", "*.dockerfile", "Containerfile*", "docker-compose*.y*ml", "compose*.y*ml"),
    *("docker-entrypoint*", "entrypoint.sh", "k8s/", "kubernetes/", "helm/", "kustomize/"),
    *("Chart.yaml", "**/charts/**/*.y*ml", "**/charts/**/*.tpl", "kustomization.y*ml"),
    *("helmfile*.yaml", "skaffold.yaml", "*.tf", "*.tfvars", "*.hcl", "terraform/", "terragrunt*"),
    *(
        "/infra/",
        "/iac/",
        "cdk/",
        "pulumi/",
        "Pulumi*.yaml",
        "cloudformation/",
        "serverless.y*ml",
        "ansible/",
        "puppet/",
    ),
    *("nginx/", "nginx*.conf*", "*.nginx", "envoy/", "envoy*.y*ml", "haproxy*.cfg", "Caddyfile*"),
    *("traefik*.y*ml", "traefik*.toml", "Procfile*", "fly.toml", "render.yaml"),
    *(
        "vercel.json",
        "netlify.toml",
        "*.service",
        "systemd/",
        "uwsgi*.ini",
        "gunicorn*.py",
        "puma.rb",
    ),
    *(
        ".tool-versions",
        ".nvmrc",
        ".node-version",
        ".python-version",
        ".ruby-version",
        "runtime.txt",
    ),
    *("*.nomad", "supervisord*.conf", ".dockerignore"),
)
_PIPELINE: Final = _by_words(
    "pipeline",
    ASKING,
    "it changes the pipeline that builds and ships it",
    "",
    *(".github/workflows/", ".github/actions/", ".gitlab-ci*.yml", ".gitlab/ci/", "Jenkinsfile*"),
    *(
        ".circleci/",
        "azure-pipelines*.yml",
        ".buildkite/",
        ".drone.yml",
        ".travis.yml",
        "cloudbuild*.y*ml",
    ),
    *("bitbucket-pipelines.yml", ".woodpecker*", "buildspec*.yml", ".tekton/", "cloudbuild/"),
)
_SETTINGS: Final = (
    ".yaml",
    ".yml",
    ".json",
    ".toml",
    ".ini",
    ".properties",
    ".conf",
    ".rb",
    ".php",
    ".exs",
)
_CONFIGURATION: Final = _by_words(
    "configuration",
    ASKING,
    "it changes configuration",
    "feature flag, feature toggle, featureflag, remote config",
    *(
        f"**/{folder}/**/*{ending}"
        for folder in ("config", "configs", "conf")
        for ending in _SETTINGS
    ),
    *(
        "**/settings/*.py",
        "settings.py",
        "settings_*.py",
        "*_settings.py",
        "config.py",
        "application*.y*ml",
    ),
    *(
        "application*.properties",
        "appsettings*.json",
        "bootstrap*.yml",
        "config.toml",
        "config.y*ml",
    ),
    *("config.exs", "runtime.exs", "config.json", "configuration.y*ml", "values*.y*ml", "flags.*"),
    but="**/config/locales/ **/*test*/** *.config.* **/config/eslint* **/config/jest* rubocop* "
    "**/config/routes*.rb **/config/routes/ **/migrations/ **/migrate/",
)
_MIGRATIONS: Final = Rule(
    "migrations",
    ASKING,
    "it changes the database, in a way that stable should survive",
    Condition(migrations=(Impact.ADDITIVE,)),
)
_SCHEMA: Final = _by_words(
    "schema",
    ASKING,
    "it changes SQL, which may be run against the database",
    "",
    *("*.sql", "*.psql", "*.pgsql", "*.plsql", "*.ddl", "*.dml", "*.cql", "*.hql"),
    # What is known for a migration, or for the whole schema, is judged as such.
    but="*migrations/ *migration/ *migrate/ evolutions/ schema.sql structure.sql *.up.sql "
    "*.down.sql V*__*.sql U*__*.sql R__*.sql B*__*.sql",
)
_DEPENDENCIES: Final = Rule(
    "dependencies",
    ASKING,
    "dependencies take a big step",
    Condition(dependencies=(Step.MAJOR, Step.REMOVED, Step.UNKNOWN)),
)
_NEW_DEPENDENCIES: Final = Rule(
    "new-dependencies",
    ASKING,
    "it brings new dependencies",
    Condition(dependencies=(Step.ADDED,)),
)
_MANY_FILES: Final = Rule("many-files", ASKING, "it is large", Condition(files_over=50))
_MANY_LINES: Final = Rule("many-lines", ASKING, "it is large", Condition(lines_over=1000))
_AFTER_ROLLBACK: Final = Rule(
    "after-rollback",
    ASKING,
    "the service was rolled back lately",
    Condition(rolled_back_within=timedelta(hours=24)),
)
_LONG_IDLE: Final = Rule(
    "long-idle",
    ASKING,
    "nothing was deployed for long, so more than this change may have become different",
    Condition(idle_over=timedelta(days=14)),
)
_LABELS: Final = Rule(
    "labels",
    ASKING,
    "its labels ask for care",
    Condition(
        labels=(
            "hotfix", "security", "*-security", "security-*", "*breaking*", "risky", "high-risk",
            "risk-high", "dangerous", "needs-review", "do-not-merge", "careful", "incident",
        )
    ),
)  # fmt: skip

_TITLES: Final = Rule(
    "titles",
    ASKING,
    "its commits say that it needs care",
    Condition(titles=("*breaking*", "*hotfix*", "feat!:*", "fix!:*", "*)!:*")),
)

_TAKES_BACK: Final = Rule(
    "takes-back",
    ASKING,
    "it takes commits back, and a deploy undoes none of their migrations",
    Condition(undoes=True),
)

DEFAULT_RULES: Final = (
    _MONEY, _SIGN_IN, _PERMISSIONS, _TENANCY, _SECRETS, _MIGRATIONS, _SCHEMA, _QUEUES,
    _INFRASTRUCTURE, _PIPELINE, _CONFIGURATION, _DEPENDENCIES, _NEW_DEPENDENCIES, _MANY_FILES, _MANY_LINES,
    _AFTER_ROLLBACK, _LONG_IDLE, _LABELS, _TITLES, _TAKES_BACK,
)  # fmt: skip
"""Work unconfigured; each can be switched off by its name."""


def touched(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Which of the default rules about files these paths would fire, and by which of them."""
    wanted = tuple(paths)
    found = {
        rule.name: named_files(rule.when, wanted, {})
        for rule in DEFAULT_RULES
        if rule.when.about_files
    }
    return {name: files for name, files in found.items() if files}
