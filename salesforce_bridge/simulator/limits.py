"""The count of API calls that an org allows in a day."""

from dataclasses import dataclass

from salesforce_bridge.simulator.refusals import Json, RequestRefused


@dataclass(slots=True, kw_only=True)
class Usage:
    """How many calls are used of how many."""

    maximum: int = 100_000
    used: int = 0
    app_name: str | None = None
    """With a name, the header also tells the share of that app."""

    def count(self) -> None:
        """Use up one call, or refuse it when none is left."""
        if self.used >= self.maximum:
            raise RequestRefused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.used += 1

    @property
    def header(self) -> str:
        """The value of Sforce-Limit-Info."""
        told = f"api-usage={self.used}/{self.maximum}"
        if self.app_name is None:
            return told
        return f"{told}; per-app-api-usage={self.used}/{self.maximum}(appName={self.app_name})"

    def resource(self) -> dict[str, Json]:
        """The content of the limits resource; what the simulator does not count stands full."""
        full = {
            "ConcurrentAsyncGetReportInstances": 200,
            "ConcurrentSyncReportRuns": 20,
            "DailyAsyncApexExecutions": 250_000,
            "DailyBulkApiBatches": 15_000,
            "DailyBulkV2QueryFileStorageMB": 976_562,
            "DailyBulkV2QueryJobs": 10_000,
            "DailyDeliveredPlatformEvents": 50_000,
            "DataStorageMB": 10_240,
            "FileStorageMB": 10_240,
            "HourlyPublishedPlatformEvents": 250_000,
            "SingleEmail": 5_000,
        }
        told: dict[str, Json] = {
            name: {"Max": maximum, "Remaining": maximum} for name, maximum in full.items()
        }
        told["DailyApiRequests"] = {
            "Max": self.maximum,
            "Remaining": max(0, self.maximum - self.used),
        }
        return dict(sorted(told.items()))
