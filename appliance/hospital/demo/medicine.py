"""The demo hospital's drugs: substances, forms and strengths, each with each. The texts show what a hospital would write; they advise
nobody. Pure.
"""

from itertools import product
from random import Random

from appliance.hospital.demo.departments import DISEASES
from appliance.hospital.registry.drugs import DrugEntry

DRUGS = 5_000
FIRST_NUMBER = 10_001

# Substance in both languages, what it is for, the first of CAUTIONS that is said.
SUBSTANCES = (
    ("阿莫西林", "Amoxicillin", "感染", 0), ("头孢氨苄", "Cephalexin", "感染", 0), ("头孢克洛", "Cefaclor", "感染", 0),
    ("阿奇霉素", "Azithromycin", "支气管炎", 0), ("罗红霉素", "Roxithromycin", "肺炎", 0), ("红霉素", "Erythromycin", "感染", 0),
    ("左氧氟沙星", "Levofloxacin", "尿路感染", 5), ("诺氟沙星", "Norfloxacin", "尿路感染", 5), ("甲硝唑", "Metronidazole", "感染", 3),
    ("氟康唑", "Fluconazole", "感染", 2), ("阿昔洛韦", "Acyclovir", "感染", 2), ("奥司他韦", "Oseltamivir", "流行性感冒", 2),
    ("布洛芬", "Ibuprofen", "疼痛", 1), ("对乙酰氨基酚", "Paracetamol", "发热", 2), ("阿司匹林", "Aspirin", "冠心病", 1),
    ("双氯芬酸", "Diclofenac", "关节炎", 1), ("美洛昔康", "Meloxicam", "类风湿关节炎", 1), ("塞来昔布", "Celecoxib", "关节炎", 1),
    ("硝苯地平", "Nifedipine", "高血压", 4), ("氨氯地平", "Amlodipine", "高血压", 4), ("卡托普利", "Captopril", "高血压", 5),
    ("依那普利", "Enalapril", "高血压", 5), ("缬沙坦", "Valsartan", "高血压", 5), ("氯沙坦", "Losartan", "高血压", 5),
    ("美托洛尔", "Metoprolol", "心律失常", 4), ("比索洛尔", "Bisoprolol", "心力衰竭", 4), ("地高辛", "Digoxin", "心力衰竭", 2),
    ("硝酸甘油", "Nitroglycerin", "冠心病", 3), ("氯吡格雷", "Clopidogrel", "冠心病", 1), ("阿托伐他汀", "Atorvastatin", "高血脂", 5),
    ("辛伐他汀", "Simvastatin", "高血脂", 5), ("瑞舒伐他汀", "Rosuvastatin", "高血脂", 5), ("二甲双胍", "Metformin", "糖尿病", 3),
    ("格列美脲", "Glimepiride", "糖尿病", 3), ("阿卡波糖", "Acarbose", "糖尿病", 2), ("格列齐特", "Gliclazide", "糖尿病", 3),
    ("奥美拉唑", "Omeprazole", "胃溃疡", 2), ("雷贝拉唑", "Rabeprazole", "胃溃疡", 2), ("法莫替丁", "Famotidine", "胃炎", 2),
    ("多潘立酮", "Domperidone", "胃炎", 2), ("蒙脱石", "Smectite", "腹泻", 2), ("乳果糖", "Lactulose", "便秘", 2),
    ("氨溴索", "Ambroxol", "咳嗽", 2), ("右美沙芬", "Dextromethorphan", "咳嗽", 4), ("沙丁胺醇", "Salbutamol", "哮喘", 2),
    ("布地奈德", "Budesonide", "哮喘", 2), ("孟鲁司特", "Montelukast", "哮喘", 2), ("茶碱", "Theophylline", "支气管炎", 2),
    ("氯雷他定", "Loratadine", "过敏性鼻炎", 4), ("西替利嗪", "Cetirizine", "过敏性鼻炎", 4), ("地塞米松", "Dexamethasone", "炎症", 5),
    ("泼尼松", "Prednisone", "炎症", 5), ("别嘌醇", "Allopurinol", "痛风", 3), ("秋水仙碱", "Colchicine", "痛风", 5),
    ("碳酸钙", "Calcium carbonate", "骨质疏松", 2), ("阿仑膦酸", "Alendronate", "骨质疏松", 2), ("硫酸亚铁", "Ferrous sulfate", "贫血", 2),
    ("叶酸", "Folic acid", "贫血", 2), ("卡马西平", "Carbamazepine", "癫痫", 4), ("丙戊酸", "Valproate", "癫痫", 5),
    ("地西泮", "Diazepam", "焦虑症", 4), ("佐匹克隆", "Zopiclone", "失眠", 4), ("舍曲林", "Sertraline", "抑郁症", 4),
    ("氟西汀", "Fluoxetine", "抑郁症", 4), ("拉坦前列素", "Latanoprost", "青光眼", 2), ("莫匹罗星", "Mupirocin", "感染", 2),
)  # fmt: skip
# Form in both languages, how it is taken, what the price is for.
FORMS = (
    ("片", "tablets", "口服，一次一片，饭后服用。", "One tablet each time, after meals.", "盒", "box"),
    ("分散片", "dispersible tablets", "口服，一次一片，溶解后服用。", "One tablet each time, dissolved in water.", "盒", "box"),
    ("缓释片", "sustained release tablets", "口服，每日一次，整片吞服。", "Once a day, swallow whole.", "盒", "box"),
    ("肠溶片", "enteric coated tablets", "口服，饭前服用，整片吞服。", "Before meals, swallow whole.", "盒", "box"),
    ("胶囊", "capsules", "口服，一次一粒，用温开水送服。", "One capsule each time, with water.", "盒", "box"),
    ("软胶囊", "soft capsules", "口服，一次一粒，饭后服用。", "One capsule each time, after meals.", "盒", "box"),
    ("颗粒", "granules", "口服，一次一袋，溶解后服用。", "One bag each time, dissolved in water.", "盒", "box"),
    ("口服液", "oral solution", "口服，每日三次，饭后服用。", "Three times a day, after meals.", "瓶", "bottle"),
    ("糖浆", "syrup", "口服，每日三次。", "Three times a day.", "瓶", "bottle"),
    ("注射液", "injection", "静脉滴注，请遵医嘱。", "Intravenous drip, as directed by your doctor.", "盒", "box"),
    ("滴丸", "pills", "口服，每日两次，饭后服用。", "Twice a day, after meals.", "瓶", "bottle"),
    ("凝胶", "gel", "外用，涂于患处。", "For external use. Apply to the affected area.", "支", "tube"),
    ("乳膏", "cream", "外用，涂于患处，每日两次。", "For external use. Apply to the affected area twice a day.", "支", "tube"),
)
CAUTIONS = (
    ("对本品过敏者禁用。", "Do not use if you are allergic to it."),
    ("饭后服用，可能引起胃肠道不适。", "Take after meals. May cause stomach upset."),
    ("如有不适请立即停药就医。", "Stop taking it and see a doctor if you feel unwell."),
    ("服药期间禁止饮酒。", "Do not drink alcohol."),
    ("服药期间不要驾驶车辆，可能引起嗜睡。", "Do not drive. May cause drowsiness."),
    ("孕妇禁用。", "Not for pregnant women."),
)
MAKES = (5, 10, 20, 50, 100, 250)


def drugs(seed: int) -> list[DrugEntry]:
    """DRUGS of them, numbers from FIRST_NUMBER on."""
    random = Random(f"{seed} drugs")
    made = list(product(SUBSTANCES, FORMS, MAKES))[:DRUGS]
    return [_drug(random, str(FIRST_NUMBER + place), *parts) for place, parts in enumerate(made)]


def _drug(
    random: Random, number: str, substance: tuple[str, str, str, int], form: tuple[str, str, str, str, str, str], strength: int
) -> DrugEntry:
    zh, en, disease, first = substance
    others = random.sample([place for place in range(len(CAUTIONS)) if place != first], 1)
    cautions = [CAUTIONS[place] for place in (first, *others)]
    return DrugEntry(
        number=number,
        name_zh=f"{zh}{form[0]}{strength}毫克",
        name_en=f"{en} {form[1]}, {strength} milligram",
        use_zh=f"用于治疗{disease}。{form[2]}",
        use_en=f"Used for the treatment of {DISEASES[disease]}. {form[3]}",
        caution_zh="".join(caution[0] for caution in cautions) + "请遵医嘱。",
        caution_en=" ".join(caution[1] for caution in cautions) + " Please follow your doctor's advice.",
        unit_zh=form[4],
        unit_en=form[5],
        price_fen=random.randrange(500, 20_000, 50),
    )
