"""Tables as they stand in cells, for the functions that read whole ones; all names are invented.

The investment lines are those of the cases: 核算指引 by hand. Software 300,000.00; its service 100,000.00; a cloud
service of 73,000.00 paid in advance for 730 days, of which 549 up to 2025-12-31 count: 73,000.00 x 549/730 = 54,900.00;
a gateway 20,000.00; a diagnosis 10,000.00; 484,900.00 in all.
"""

from __future__ import annotations

from datetime import date
from typing import Any

BUYER, INTEGRATOR, CLOUD = "示例食品有限公司", "示例数科（集团）有限公司", "示例云服务有限公司"
JULY_1, AUG_1, SEP_1, SEP_10 = 45474, 45505, 45536, 45545  # of 2024, as cells store them

# Labels and ids, amounts in 元 and in 万元; the first column and the last are no columns of the table.
HEADINGS = [
    "序号", "产品或服务名称", "费用类别", "对应软件名称", "申报金额（万元）", "合同签订日期", "合同金额(万元)",
    "合同甲方", "服务商", "合同载明的乙方账号", "发票号码", "发票联次", "开票日期", "发票金额（元）", "税率",
    "发票购买方", "发票销售方", "invoice_matches", "付款日期", "付款金额", "付款方式", "付款方", "收款方", "收款账号",
    "交易双方存在关联关系", "prepaid", "service_start", "service_end", "备注",
]  # fmt: skip


def line(
    number: int, item: str, category: str, yuan: float, supplier: str = INTEGRATOR, linked: str | None = None,
    dates: tuple[Any, Any, Any] = (AUG_1, SEP_1, SEP_10), service: tuple[Any, Any] | None = None, rate: Any = 0.06,
) -> list[Any]:  # fmt: skip
    """One line in which contract, invoice and payment are of the same amount."""
    contract, invoice, payment = dates
    return [
        number, item, category, linked, yuan / 10000, contract, yuan / 10000, BUYER, supplier, "15000001",
        f"F00{number}", "发票联", invoice, yuan, rate, BUYER, supplier, "是", payment, f"{yuan:.2f}元", "转账", BUYER,
        supplier, 15000001, "否", "是" if service else "否", *(service or (None, None)), None,
    ]  # fmt: skip


LINES = [
    line(1, "MES系统", "软件", 300000, rate="13%"),
    line(2, "MES实施", "实施服务", 100000, linked="mes系统"),
    line(3, "云数据库", "云服务", 73000, CLOUD, dates=(JULY_1, JULY_1, JULY_1),
         service=("2024-07-01", date(2026, 6, 30))),
    [None] * len(HEADINGS),
    line(4, "工业智能网关", "设备", 20000, rate=0.13, dates=(date(2024, 8, 1), "2024年9月1日", SEP_10)),
    line(5, "数字化诊断", "诊断", 10000),
]  # fmt: skip
RECOGNISED = [300000.0, 100000.0, 54900.0, "", 20000.0, 10000.0]
ROSTER = [["服务商名称", "类别"], ["示例数科(集团)有限公司", "集成服务商"], [CLOUD, "产品服务商"]]
LOOKED_UP = [["项目申报截止日期", "2025-10-31"], ["企业名称", BUYER]]


def table(*rows: list[Any]) -> list[list[Any]]:
    """Rows under the headings."""
    return [HEADINGS, *rows]


def changed(rows: list[list[Any]], number: int, **cells: Any) -> list[list[Any]]:
    """The rows with cells of one changed, by heading; rows count from 1."""
    found = [list(row) for row in rows]
    for heading, cell in cells.items():
        found[number - 1][next(n for n, held in enumerate(HEADINGS) if held.startswith(heading))] = cell
    return found


# 复审: four candidates, two with the same score.
CANDIDATES = [
    ["序号", "平台名称", "复审得分"], [1, "甲平台", 95], [2, "乙平台", "92"], [None, None, None], [3, "丙平台", 92.0],
    [4, "丁平台", 80.5],
]  # fmt: skip
