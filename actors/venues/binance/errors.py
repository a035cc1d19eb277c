"""The error codes of Binance Spot that others of Binance's interfaces do not have, or not with this meaning.

Source: github.com/binance/binance-spot-api-docs, errors.md. Codes that only its FIX interface sends are left out.
"""

from actors.venues.binance_api.errors import COMMON, Action, ErrorTable

CODES: dict[int, Action] = {
    **COMMON,
    -1034: Action.BACK_OFF,  # too many connections
    -1035: Action.RETRY,  # logged out
    -1122: Action.REFUSE,  # invalid symbolStatus
    -1134: Action.REFUSE,  # strategyType below 1000000
    -1135: Action.REFUSE,  # invalid JSON
    -1139: Action.REFUSE,  # invalid ticker type
    -1145: Action.REFUSE,  # invalid cancelRestrictions
    -1151: Action.REFUSE,  # symbol more than once
    -1152: Action.REFUSE,  # SBE header
    -1153: Action.REFUSE,  # SBE schema
    -1155: Action.REFUSE,  # SBE disabled
    -1158: Action.REFUSE,  # order type not supported in OCO
    -1160: Action.REFUSE,  # iceberg in OCO without GTC
    -1161: Action.REFUSE,  # deprecated schema
    -1165: Action.REFUSE,  # limit order of a buy OCO has to be below
    -1166: Action.REFUSE,  # limit order of a sell OCO has to be above
    -1168: Action.REFUSE,  # one order of an OCO has to be contingent
    -1181: Action.BACK_OFF,  # too many messages
    -1182: Action.REFUSE,  # conflicting parameters
    -1191: Action.REFUSE,  # too many subscriptions
    -1194: Action.REFUSE,  # invalid time unit
    -1196: Action.REFUSE,  # stop loss of a buy OCO has to be above
    -1197: Action.REFUSE,  # stop loss of a sell OCO has to be below
    -1198: Action.REFUSE,  # take profit of a buy OCO has to be below
    -1199: Action.REFUSE,  # take profit of a sell OCO has to be above
    -1210: Action.REFUSE,  # invalid pegPriceType
    -1211: Action.REFUSE,  # invalid pegOffsetType
    -1220: Action.REFUSE,  # symbol is not in this symbolStatus
    -1222: Action.REFUSE,  # working order of an OPO has to be a buy
    -1223: Action.REFUSE,  # pending orders of an OPO have to be sells
    -1224: Action.REFUSE,  # working order lacks a parameter
    -1225: Action.REFUSE,  # pending order has a parameter too many
    -2016: Action.REFUSE,  # no trading window for the symbol
    -2021: Action.REFUSE,  # cancel-replace failed in part: its parts say what became of each
    -2022: Action.REFUSE,  # cancel-replace failed in both parts
    -2035: Action.ALREADY,  # user data stream subscription already active
    -2036: Action.RETRY,  # user data stream subscription not active
    -2038: Action.REFUSE,  # amend rejected
    -2039: Action.REFUSE,  # client order id does not belong to this order id
    -2042: Action.REFUSE,  # subscription ids used up on this connection
    -2043: Action.REFUSE,  # no reference price
}

ERRORS = ErrorTable(CODES)
