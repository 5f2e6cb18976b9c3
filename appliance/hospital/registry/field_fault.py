"""What is wrong with a field somebody filled in, for pages and imports alike: a code, and its text in both languages. Pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Language = Literal["zh", "en"]

TEXTS: Mapping[str, tuple[str, str]] = {
    "required": ("不能为空", "must be filled in"),
    "too_long": ("太长，最多 {most} 个字符", "is too long: at most {most} characters"),
    "control": ("含有不可见的控制字符", "has characters that cannot be seen"),
    "emoji": ("不能使用表情符号", "must have no emoji"),
    "markup": ("不能使用网页标记", "must have no web markup"),
    "formula": ("不能以 = + - @ 开头", "must not begin with = + - or @"),
    "digits": ("只能是数字", "takes digits only"),
    "length": ("应为 {least} 到 {most} 位", "takes {least} to {most} digits"),
    "number": ("应为整数", "must be a whole number"),
    "range": ("应在 {lowest} 到 {highest} 之间", "must be from {lowest} to {highest}"),
    "money": ("应为金额，例如 12.50", "must be an amount such as 12.50"),
    "negative": ("金额不能为负数", "must not be less than nothing"),
    "date": ("应为日期，例如 2026-03-08", "must be a date such as 2026-03-08"),
    "future": ("日期在未来", "lies in the future"),
    "moment": ("应为日期和时间，例如 2026-03-08 08:00", "must be a date and time such as 2026-03-08 08:00"),
    "clock": ("应为时间，例如 08:00", "must be a time such as 08:00"),
    "order": ("结束早于开始", "ends before it begins"),
    "exists": (
        "这个门诊已经有了，结束时间或费用不同，请在门诊页面修改",
        "is there already, with another end or fee: change it on its page",
    ),
    "overlap": ("与该医生已有的门诊时间重叠：{value}", "overlaps another clinic of this doctor: {value}"),
    "choice": ("只能是：{allowed}", "must be one of: {allowed}"),
    "flag": ("应为“是”或“否”", "must be yes or no"),
    "phone": ("不是电话号码", "is no telephone number"),
    "too_many": ("太多，最多 {most} 个", "has too many: at most {most}"),
    "id_number": ("不是证件号码", "is no identity number"),
    "id_checksum": ("身份证号码校验位不对", "has a wrong check digit"),
    "id_birthday": ("与身份证号码中的出生日期不一致", "differs from the birthday in the identity number"),
    "duplicate": ("已经被使用：{value}", "is taken already: {value}"),
    "repeated": ("与第 {line} 行重复", "is the same as in line {line}"),
    "unknown": ("没有这个编号：{value}", "is not known: {value}"),
    "closed": ("已经停用：{value}", "is closed: {value}"),
    "in_use": ("还在使用，不能停用", "is still in use"),
    "initials": ("姓名的拼音首字母应为 1 到 16 个字母", "must be 1 to 16 letters"),
    "password_length": ("密码应为 {most} 位数字", "must be {most} digits"),
    "password_simple": ("密码太简单", "is too simple"),
    "password_differs": ("两次输入的密码不一样", "is not the same twice"),
    "address": ("应为打印机地址，例如 192.168.1.50:9100", "must be a printer's address such as 192.168.1.50:9100 or /dev/usb/lp0"),
    "name": ("只能用小写字母、数字和下划线，以字母开头，2 到 48 个字符", "takes 2 to 48 small letters, digits and _, a letter first"),
    "reserved": ("不能以 {value} 开头，这个开头是留给系统的", "must not begin with {value}, which is kept for the box itself"),
    "itself": ("不能是本人", "cannot be the same person"),
}


class FieldFault(msgspec.Struct, frozen=True):
    """`field` by its name in the form ("" for the whole), `code` a key of TEXTS, `values` what its text names."""

    field: str
    code: str
    values: dict[str, str | int] = {}

    def text(self, language: Language) -> str:
        """What is wrong, to follow the field's title."""
        values = dict(self.values)
        if "allowed" in values:
            values["allowed"] = _in(language, str(values["allowed"]))
        return TEXTS[self.code][language == "en"].format(**values)


def _in(language: Language, allowed: str) -> str:
    """Of what may be written, in several ways, those of that language; all where there is none."""
    every = allowed.split(", ")
    own = [one for one in every if one.isascii() == (language == "en")]
    return ", ".join(own or every)


class Refused(msgspec.Struct, frozen=True):
    """Nothing was saved; what to mend. At least one fault."""

    faults: tuple[FieldFault, ...]

    def codes(self) -> dict[str, str]:
        """The first fault's code by field."""
        return {fault.field: fault.code for fault in reversed(self.faults)}


def refused(field: str, code: str, **values: str | int) -> Refused:
    return Refused((FieldFault(field, code, values),))
