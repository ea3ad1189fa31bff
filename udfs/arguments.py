"""The arguments that several functions share, with what is shown of them to the user."""

from __future__ import annotations

from udfs.signature import Arg

POLICY = Arg(
    "policy",
    "政策编号",
    "政策编号（英文文字），可从模板“依据”表复制，或用命令 xlcalc packs 查看",
    "policy",
)
ON = Arg("onday", "政策日期", "按该日有效的版本计算，如 2025-05-31；省略或空白按最新版本", "date", optional=True)
CHOICES = Arg(
    "choices",
    "口径",
    "所采用的口径，如 AMB-31=literal；AMB-01=combined（以分号、逗号或换行分隔），或两列：编号、选项；"
    "省略或空白按默认口径，不属于本政策的不影响结果",
    "choices",
    optional=True,
)
CODE = Arg("code", "统一社会信用代码", "18 位代码，须存为文字；可以是一列", "text")
PROGRAMME = Arg("programme", "政策编号", "只计这一政策的；省略或空白为全部政策", "policy", optional=True)
BATCH = Arg(
    "batch", "本批次", "正在办理的批次，如 2025年第一批：其登记不计；省略或空白为全部批次", "text", optional=True
)
ANSWERS = Arg(
    "answers",
    "评测表答案",
    "一列（或一行）15 个单元格，按题号排列；多行时每行一家企业。字母选项填字母，多选连写如 BC；场景题填场景名称，"
    "以顿号分隔；成效题填 降低、持平 或 增加。也可选评测表的全部勾选格。有一题未答则结果为空",
    "answers",
)
SCENES = Arg(
    "scenes",
    "应用场景等级",
    "一列（或一行）16 个单元格，按评测表的场景顺序填等级，如 二级 或 2；多行时每行一家企业；空白按无等级计",
    "scenes",
)
LEVEL = Arg("level", "数字化水平等级", "认定（验收）等级：0–4，或 二级、规范级 等写法；可以是一列", "level")
AT_LEAST = Arg("level", "等级", "从该等级起计数：0–4，或 二级、规范级 等写法；可以是一列", "level")
AMOUNT = Arg("amount", "核定金额", "核定金额（元）；带单位的文字如 12万元 也可；可以是一列", "yuan")
RECEIVED = Arg(
    "received",
    "此前已享受金额",
    "本企业此前已享受、计入每家企业上限的金额（元）；省略或空白按没有计算",
    "yuan",
    optional=True,
)
FACTS = Arg(
    "facts",
    "事实",
    "两列：名称（中文名或编号）和内容；或一行标题，此时数据另给。数字金额按元，标题末尾写“（万元）”的按万元，"
    "申报表以万元填写的项目须这样写明单位；"
    "日期、是/否、等级按单元格原样；比例 0.9 即 90%",
    "facts",
)
DATA = Arg(
    "data", "数据", "事实为一行标题时，与标题同宽的数据区域：每行一家企业，结果为一列；否则省略", "data", optional=True
)
APPLIED_ON = Arg(
    "onday", "申报日期", "申报日期，如 2025-05-31；省略则取事实“申报日期”，仍没有的按最新版本", "date", optional=True
)
COST = Arg("cost", "核定投入", "核定投入（元）；带单位的文字如 12万元 也可；可以是一列", "yuan")
ENTERPRISE = (POLICY, FACTS, DATA, APPLIED_ON, CHOICES)

OPTIONS = Arg(
    "options",
    "方向或等次",
    "申报方向（几项以顿号分隔，如 小灯塔、创新能力）或获奖等次（如 一等奖）；只有一种奖补的政策留空；可以是一列",
    "text",
    optional=True,
)
AWARDED = Arg(
    "received",
    "此前已获奖补",
    "此前已获奖补的方向（以顿号分隔；没有填 无），只有一种奖补的填 是 或 否；省略或空白按没有计算；可以是一列",
    "text",
    optional=True,
)
INDUSTRY = Arg("industry", "划型行业", "划型标准所列的行业，如 工业、批发业（制造业属于工业）；可以是一列", "text")
EMPLOYEES = Arg("employees", "从业人员", "从业人员数（人）；可以是一列", "count", optional=True)
REVENUE = Arg(
    "revenue", "营业收入", "年营业收入（元）；带单位的文字如 2000万元 也可；可以是一列", "yuan", optional=True
)
ASSETS = Arg("assets", "资产总额", "资产总额（元）；带单位的文字如 2000万元 也可；可以是一列", "yuan", optional=True)
ITEM = Arg(
    "item",
    "结果名称",
    "结果的名称或编号：补贴金额（subsidy）、奖补金额（award）、抵扣券面额（face_value）、企业规模（enterprise_size）、"
    "可拨付（payable）等；比率、指标用其名称，或 ratios.编号、indicators.编号；可以是一列",
    "text",
)
PART = Arg("part", "部分", "达到要求的数量或金额，与整体同单位；可以是一列", "number")
WHOLE = Arg("whole", "整体", "总的数量或金额；为 0 时无从判断，结果为空；可以是一列", "number")
THRESHOLD = Arg("threshold", "要求的比例", "要求达到的比例，如 90%（即 0.9）；可以是一列", "share")
LINES = Arg(
    "lines",
    "投入明细",
    "首行为标题（投入明细各列的名称或编号，其他列不采用），以下每行一笔；金额按元，标题末尾写“（万元）”的按万元；"
    "红字发票填负数",
    "lines",
)
LINE_ROW = Arg("row", "行号", "投入明细的第几行，标题以下第一行为 1；可以是一列", "count")
LOOKED_UP = Arg(
    "facts", "事实", "两列：名称（中文名或编号）和内容，如 项目申报截止日期、企业名称", "facts", optional=True
)
ROSTER = Arg(
    "roster",
    "服务商名录",
    "经认定的服务商：首行为标题（服务商名称、统一社会信用代码、类别），每行一家；政策要求核对而未给出的，结果为空",
    "roster",
    optional=True,
)
CANDIDATES = Arg(
    "candidates",
    "参评名单",
    "首行为标题（平台名称、统一社会信用代码、复审得分等，名称或编号均可），以下每行一家，须是全部参评单位",
    "candidates",
)
CANDIDATE_ROW = Arg("row", "行号", "参评名单的第几行，标题以下第一行为 1；可以是一列", "count")
PLACES = Arg(
    "places",
    "各奖等名额",
    "各等次的名额，从最高等次起依次排成一行或一列，不设的填 0；也可用带标题（等次、名额）的两列",
    "places",
)
COSTS = (LOOKED_UP, ROSTER, ON, CHOICES)
