"""``/api/settings``: what the owner edits under the gear."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import Discriminator, Field, JsonValue, RootModel, SecretStr, Tag

from spark_common.contracts.owner_settings import (
    CHANGE_SETTINGS,
    GET_SETTINGS,
    ChangeSettings,
    GetSettings,
    SettingName,
    SettingsView,
)
from spark_common.owner import TABLE
from spark_gateway.api.asking import WhoAsked, ask, change
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/settings", tags=["settings"], route_class=ControlRoute)


class FlatSettings(
    RootModel[Annotated[dict[SettingName, JsonValue], Field(min_length=1, max_length=200)]]
):
    """The form of the earlier system: `{"VLLM_PORT": 8890}`. Null, or a blank, takes back."""

    def change(self, requested_by: str) -> ChangeSettings:
        """Sort the values into those that may be shown and those that may not."""
        secrets: dict[str, SecretStr | None] = {}
        values: dict[str, JsonValue] = {}
        for name, value in self.root.items():
            field = TABLE.get(name)
            if field is None or not field.secret:
                values[name] = value
            elif value is None or value == "":
                secrets[name] = None
            else:
                # What is neither text nor a whole number is refused there, as a blank secret is.
                written = isinstance(value, str | int) and not isinstance(value, bool)
                secrets[name] = SecretStr(str(value) if written else "")
        return ChangeSettings(values=values, secrets=secrets, requested_by=requested_by)


def _form_of(body: object) -> str:
    known = set(ChangeSettings.model_fields)
    return "flat" if isinstance(body, dict) and body and not known & set(body) else "change"


SettingsOrder = Annotated[
    Annotated[ChangeSettings, Tag("change")] | Annotated[FlatSettings, Tag("flat")],
    Discriminator(_form_of),
]


@router.get("", responses=problems(*READ))
async def get_settings(request: Request) -> SettingsView:
    """Every setting with what holds now and where it comes from; secrets only say whether set."""
    return await ask(request, GET_SETTINGS, GetSettings())


@router.post("", responses=problems(409, *CHANGE))
async def change_settings(
    request: Request,
    order: Annotated[SettingsOrder, Body()],
    requested_by: WhoAsked = "someone",
) -> SettingsView:
    """Change settings, all of them or none; every service uses them within two seconds.

    What is wrong is answered name by name in `details.problems`, and nothing is changed.
    """
    question = order.change(requested_by) if isinstance(order, FlatSettings) else order
    return await change(request, CHANGE_SETTINGS, question)
