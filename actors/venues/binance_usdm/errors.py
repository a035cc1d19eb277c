"""The error codes of Binance USD-M futures that others of Binance's interfaces do not have, or not with this meaning.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code. Of the hundreds of −4xxx codes
(parameters, filters, modes) all mean that the request was refused; only those that mean something else are here.
"""

from actors.venues.binance_api.errors import COMMON, Action, ErrorTable

CODES: dict[int, Action] = {
    **COMMON,
    -1034: Action.BACK_OFF,  # too many connections
    -1035: Action.RETRY,  # logged out
    -4046: Action.ALREADY,  # no need to change margin type
    -4059: Action.ALREADY,  # no need to change position side
    -4171: Action.ALREADY,  # no need to change multi-assets mode
}

ERRORS = ErrorTable(CODES)
