"""Checkpoints on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from dialog_envs.agents.checkpoint import read_training
from dialog_envs.errors import CheckpointError, UsageError


def push_to_hub(
    path: str | Path,
    repo: str,
    *,
    private: bool = False,
    message: str | None = None,
    token: str | None = None,
) -> str:
    """Uploads a checkpoint, with its model card; returns the commit's address.

    Args:
        path: a folder made by ``dialog-envs train``.
        repo: ``OWNER/NAME``; made if it is not there.
        private: of a repository that is made.
        message: of the commit.
        token: None takes the one of ``hf auth login`` or ``HF_TOKEN``.

    Raises:
        UsageError: the name cannot be one of a repository.
        CheckpointError: there is no checkpoint, or the hub refused it or could not be reached.
    """
    check_repo(repo)
    record = read_training(path)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    api = HfApi(token=token)
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=path,
            commit_message=message or f"{record['algorithm']} for {record['task']}",
        )
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"the checkpoint '{path}' could not be uploaded to {repo} ({reason:.300}): it is safe where it is. Log in "
            "with `hf auth login`, and try again with --push-to-hub, which does not train again."
        ) from error
    return str(done)


def check_repo(repo: str) -> None:
    """Raises UsageError if ``repo`` cannot be the name of a repository."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UsageError(f"'{repo}' is no name of a repository: write OWNER/NAME ({error}).") from error
