"""Routes that are asked often: what they ask for takes the request and nothing else."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from typing_extensions import override

Ask = Callable[[Request], Awaitable[Any]]


class DirectRoute(APIRoute):
    """
    A route that asks its dependencies itself, one after the other, where it can.

    FastAPI asks every kind of dependency, which costs a small write more than its
    validation does. Where all are coroutines of the request alone, and the rest of the
    route's parameters are the request and names in its path, the answer is the same.
    """

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        if not self.is_direct:
            return super().get_route_handler()
        asks = [(d.name, cast("Ask", d.call)) for d in self.dependant.dependencies]
        named = [each.name for each in self.dependant.path_params]
        takes_request = self.dependant.request_param_name
        answer = cast("Callable[..., Awaitable[Response]]", self.endpoint)

        async def handle(request: Request) -> Response:
            values: dict[str, Any] = {}
            for name, ask in asks:
                values[cast("str", name)] = await ask(request)
            for name in named:
                values[name] = request.path_params[name]
            if takes_request is not None:
                values[takes_request] = request
            return await answer(**values)

        return handle

    @property
    def is_direct(self) -> bool:
        """Return whether all that it asks for can be asked directly."""
        asked = self.dependant
        given = {each.name for each in asked.dependencies}
        given |= {each.name for each in asked.path_params}
        given.add(asked.request_param_name)
        takes = inspect.signature(self.endpoint)
        return (
            inspect.iscoroutinefunction(self.endpoint)
            and takes.return_annotation is Response
            and takes.parameters.keys() <= given
            and all(each.field_info.annotation is str for each in asked.path_params)
            and all(_takes_the_request(each.call) for each in asked.dependencies)
        )


def _takes_the_request(call: Callable[..., Any] | None) -> bool:
    return inspect.iscoroutinefunction(call) and [
        parameter.annotation
        for parameter in inspect.signature(call).parameters.values()
    ] == [Request]
