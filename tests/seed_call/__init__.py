"""The call that this project was asked to build: one audio and video call of 17 messages, B behind a NAT.

The `.sip` files are what the two phones of that call send, header by header, with the addresses of the test network. What a phone copies
from the other side stands in braces. Line ends are written as LF here and sent as CRLF.
"""
