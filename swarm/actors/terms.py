"""What the settings decide of plans: what can be had, what it costs and may cost."""

from swarm.config import Settings
from swarm.dispatch.queue import PATIENCE_S
from swarm.model.plans import Budget, Offering
from swarm.model.work import CapacityClass, Offer, Resources, WorkerId
from swarm.placement.prices import PoolPrice
from swarm.placement.rooms import room
from swarm.placement.situation import Terms
from swarm.placement.sizing import Worth

_HORIZON_S = 3_600


def offerings(settings: Settings) -> tuple[Offering, ...]:
    """The kinds of workers that the settings name."""
    return tuple(
        Offering(
            one.name,
            room(one.slots, one.memory_bytes, one.gpu),
            one.price_usd_per_h,
            one.boot_s,
            CapacityClass(one.market),
            one.most,
        )
        for one in settings.placement.offerings
    )


def rentable(settings: Settings) -> tuple[Offer, ...]:
    """The same as workers that could come; none where nobody orders any."""
    if settings.placement.pool != "ray":
        return ()
    return tuple(
        Offer(
            WorkerId(""),
            "",
            one.slots,
            Resources(float(one.slots), one.memory_bytes, one.gpu),
            capacity=CapacityClass(one.market),
            pool=one.name,
        )
        for one in settings.placement.offerings
    )


def pool_prices(settings: Settings) -> dict[str, PoolPrice]:
    """What is known of each pool's price: that of an offering counts where nothing else is said."""
    offered = {
        one.name: PoolPrice(usd_per_h=one.price_usd_per_h, spot_usd_per_h=one.price_usd_per_h)
        for one in settings.placement.offerings
    }
    return offered | {
        name: PoolPrice(pool.type, pool.region, pool.zone, pool.usd_per_h, pool.spot_usd_per_h)
        for name, pool in settings.prices.items()
    }


def terms(settings: Settings) -> Terms:
    """What the settings decide of plans."""
    own = settings.placement
    return Terms(
        Budget(own.most_workers, own.most_usd_per_h, own.most_leaving),
        Worth(own.late_usd, own.minute_usd),
        PATIENCE_S,
        _HORIZON_S,
    )
