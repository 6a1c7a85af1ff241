"""What the operator's commands share: a sentence and an exit code in place of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError


class Failure(Exception):
    """The command cannot go on; the text says what to do."""


def run(name: str, command: Callable[[], int]) -> int:
    """Run `make <name>`; give its exit code: its own, 1 after a failure told in a sentence, 130 after Ctrl-C."""
    try:
        return command()
    except Failure as failure:
        problem = str(failure)
    except NoCredentialsError:
        problem = "there are no AWS credentials here: set AWS_PROFILE, or log in with your AWS command line first"
    except NoRegionError:
        problem = "no region is set: name it in samconfig.toml for this stage, or in AWS_REGION"
    except ClientError as error:
        details = error.response.get("Error", {})
        problem = f"AWS refused {error.operation_name}: {details.get('Code', 'unknown')}: {details.get('Message', '')}"
    except BotoCoreError as error:
        problem = f"AWS did not answer: {error}"
    except (KeyboardInterrupt, EOFError):
        print(f"\n{name}: stopped; what had been written until then stays", file=sys.stderr)
        return 130
    print(f"{name}: {problem}", file=sys.stderr)
    return 1
