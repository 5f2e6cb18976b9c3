"""The demo hospital's forty departments and what is treated in them. Pure."""

from appliance.hospital.registry.departments import DepartmentEntry

BUILDINGS = (("门诊楼", "outpatient building"), ("住院楼", "inpatient building"))
FLOORS = (("一楼", "first floor"), ("二楼", "second floor"), ("三楼", "third floor"))

# Chinese name, English name, diseases by their place in DISEASES.
DEPARTMENTS = (
    ("心内科", "cardiology", "高血压 冠心病 心律失常 心力衰竭"),
    ("呼吸内科", "respiratory medicine", "哮喘 支气管炎 肺炎 咳嗽"),
    ("消化内科", "gastroenterology", "胃炎 胃溃疡 腹泻 便秘"),
    ("神经内科", "neurology", "脑卒中 癫痫 头痛 失眠"),
    ("肾内科", "nephrology", "肾炎 尿路感染 高血压"),
    ("内分泌科", "endocrinology", "糖尿病 高血脂 痛风 骨质疏松"),
    ("血液科", "hematology", "贫血 白血病"),
    ("风湿免疫科", "rheumatology", "类风湿关节炎 关节炎 痛风"),
    ("感染科", "infectious diseases", "肝炎 发热 流行性感冒"),
    ("肿瘤科", "oncology", "恶性肿瘤 肺癌 肿瘤"),
    ("普外科", "general surgery", "胆结石 肿瘤 感染"),
    ("骨科", "orthopedics", "骨折 关节炎 腰椎间盘突出"),
    ("脊柱外科", "spine surgery", "腰椎间盘突出 疼痛"),
    ("关节外科", "joint surgery", "关节炎 骨折"),
    ("手外科", "hand surgery", "骨折 感染"),
    ("泌尿外科", "urology", "肾结石 尿路感染 肿瘤"),
    ("肝胆外科", "hepatobiliary surgery", "胆结石 肝硬化"),
    ("胸外科", "thoracic surgery", "肺癌 肿瘤"),
    ("心脏外科", "cardiac surgery", "冠心病 心力衰竭"),
    ("血管外科", "vascular surgery", "高血脂 疼痛"),
    ("乳腺外科", "breast surgery", "肿瘤 恶性肿瘤"),
    ("神经外科", "neurosurgery", "脑卒中 癫痫 肿瘤"),
    ("妇科", "gynecology", "炎症 肿瘤 感染"),
    ("产科", "obstetrics", "贫血 糖尿病"),
    ("儿科", "pediatrics", "发热 咳嗽 肺炎 腹泻"),
    ("小儿外科", "pediatric surgery", "骨折 感染"),
    ("眼科", "ophthalmology", "白内障 青光眼 炎症"),
    ("耳鼻喉科", "ear nose and throat", "过敏性鼻炎 鼻炎 头晕"),
    ("口腔科", "dentistry", "疼痛 炎症"),
    ("皮肤科", "dermatology", "湿疹 感染"),
    ("中医科", "traditional Chinese medicine", "失眠 头痛 便秘"),
    ("针灸科", "acupuncture", "疼痛 头痛 失眠"),
    ("康复科", "rehabilitation", "脑卒中 骨折 疼痛"),
    ("精神科", "psychiatry", "抑郁症 焦虑症 失眠"),
    ("心理科", "psychology", "焦虑症 抑郁症"),
    ("老年医学科", "geriatric medicine", "高血压 糖尿病 骨质疏松"),
    ("疼痛科", "pain clinic", "疼痛 头痛"),
    ("全科医学科", "general practice", "感冒 高血压 糖尿病"),
    ("营养科", "nutrition", "糖尿病 高血脂 痛风"),
    ("肝病科", "liver diseases", "肝炎 肝硬化"),
)
DISEASES = {
    "高血压": "high blood pressure", "冠心病": "coronary heart disease", "心律失常": "irregular heartbeat",
    "心力衰竭": "heart failure", "哮喘": "asthma", "支气管炎": "bronchitis", "肺炎": "pneumonia", "咳嗽": "cough",
    "胃炎": "gastritis", "胃溃疡": "gastric ulcer", "腹泻": "diarrhea", "便秘": "constipation", "脑卒中": "stroke",
    "癫痫": "epilepsy", "头痛": "headache", "失眠": "insomnia", "肾炎": "nephritis", "尿路感染": "urinary infection",
    "糖尿病": "diabetes", "高血脂": "high cholesterol", "痛风": "gout", "骨质疏松": "osteoporosis", "贫血": "anemia",
    "白血病": "leukemia", "类风湿关节炎": "rheumatoid arthritis", "关节炎": "arthritis", "肝炎": "hepatitis",
    "发热": "fever", "流行性感冒": "influenza", "恶性肿瘤": "malignant tumor", "肺癌": "lung cancer", "肿瘤": "tumor",
    "胆结石": "gallstones", "感染": "infection", "骨折": "fracture", "腰椎间盘突出": "slipped disc", "疼痛": "pain",
    "肾结石": "kidney stones", "肝硬化": "cirrhosis", "炎症": "inflammation", "白内障": "cataract", "青光眼": "glaucoma",
    "过敏性鼻炎": "allergic rhinitis", "鼻炎": "rhinitis", "头晕": "dizziness", "湿疹": "eczema", "抑郁症": "depression",
    "焦虑症": "anxiety", "感冒": "common cold",
}  # fmt: skip


def entries() -> list[DepartmentEntry]:
    """Codes "01" to "40"."""
    return [
        DepartmentEntry(code=f"{place:02}", name_zh=zh, name_en=en.capitalize(), place_zh=where[0], place_en=where[1])
        for place, (zh, en, _) in enumerate(DEPARTMENTS, start=1)
        for where in (_place(place),)
    ]


def _place(place: int) -> tuple[str, str]:
    building, floor = BUILDINGS[place % 4 == 0], FLOORS[place % 3]
    return building[0] + floor[0], f"{building[1]}, {floor[1]}".capitalize()
