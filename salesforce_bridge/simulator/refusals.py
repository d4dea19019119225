"""The two ways in which Salesforce says no: to one record, and to a whole request."""

from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


class RowRefused(Exception):
    """One record cannot be saved, read or deleted; the others of its request may."""

    def __init__(
        self, status_code: str, message: str, *fields: str, also: tuple["RowRefused", ...] = ()
    ) -> None:
        super().__init__(status_code, message)
        self.status_code = status_code
        self.message = message
        self.fields = fields
        self.also = also

    def as_collection_errors(self) -> list[Json]:
        """The shape inside the result list of a collection."""
        return [
            {"statusCode": one.status_code, "message": one.message, "fields": list(one.fields)}
            for one in (self, *self.also)
        ]

    def as_row_errors(self) -> list[Json]:
        """The shape in the answer about a single record."""
        return [
            {"message": one.message, "errorCode": one.status_code, "fields": list(one.fields)}
            for one in (self, *self.also)
        ]


class RequestRefused(Exception):
    """The request as a whole is refused."""

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(status, error_code, message)
        self.status = status
        self.error_code = error_code
        self.message = message

    def as_error_list(self) -> list[Json]:
        """The list of one that every REST resource answers with."""
        return [{"message": self.message, "errorCode": self.error_code}]


def not_found() -> RequestRefused:
    """What Salesforce answers about a path it does not know."""
    return RequestRefused(404, "NOT_FOUND", "The requested resource does not exist")
