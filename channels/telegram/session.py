"""The HTTP side of aiogram's bot, but results stay raw JSON, connecting has a time limit of its own, and an answer that
is no JSON is told apart by its status.
"""

from __future__ import annotations

from typing import Any, cast

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError, TelegramServerError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import ClientError, ClientTimeout
from typing_extensions import override

CONNECT_S = 10.0


class RawSession(AiohttpSession):
    """Makes calls and returns the `result` as it came: one odd field must not cost the whole answer."""

    @override
    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        limits = ClientTimeout(total=self.timeout if timeout is None else timeout, connect=CONNECT_S)
        form = self.build_form_data(bot=bot, method=method)
        try:
            async with session.post(url, data=form, timeout=limits, allow_redirects=False) as answer:
                content = await answer.read()
        except TimeoutError as error:
            raise TelegramNetworkError(method=method, message="no answer in time") from error
        except ClientError as error:
            # Only the name: some of these errors quote the URL, and the token stands in it.
            raise TelegramNetworkError(method=method, message=type(error).__name__) from error
        response = self.check_response(bot, method, answer.status, content.decode())
        return cast(TelegramType, response.result)

    @override
    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        try:
            response: Response[Any] = Response[Any].model_validate(self.json_loads(content))
        except (ValueError, RecursionError) as error:
            if status_code >= 500:
                raise TelegramServerError(method, f"HTTP {status_code} without words") from error
            raise ClientDecodeError("Failed to decode object", error, "…") from error
        if response.ok and 200 <= status_code < 300:
            return response
        return super().check_response(bot, method, status_code, content)

    @override
    async def close(self) -> None:
        if self._session is not None and not self._session.closed:
            await self._session.close()
