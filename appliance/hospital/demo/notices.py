"""What callers of the demo hospital can hear. Pure."""

# Kind, titles, texts.
NOTICES = (
    (
        "introduction",
        "医院介绍",
        "About our hospital",
        "我院有四十个科室，三百位医生。服务台在门诊楼一楼。",
        "Our hospital has forty departments and three hundred doctors. The information desk is on the first floor.",
    ),
    (
        "notice",
        "门诊时间",
        "Opening hours",
        "尊敬的患者，普通门诊周一至周五，上午八点到十二点，下午两点到五点半。周六上午门诊。急诊全天。感谢您的配合。",
        "Dear patients, the general clinic is open Monday to Friday and on Saturday morning. Emergency is open all day.",
    ),
    (
        "notice",
        "请携带就诊卡",
        "Please bring your card",
        "请携带就诊卡和身份证，请提前到挂号窗口。谢谢。",
        "Please bring your patient card and your identity card to the registration window. Thank you.",
    ),
    (
        "visiting",
        "住院探视",
        "Visiting patients",
        "住院楼病房的家属，请在下午两点到五点来。晚上请不要来，病人需要休息。",
        "Family members can visit the ward from two to five in the afternoon. Please do not come at night.",
    ),
    (
        "visiting",
        "停车和地铁",
        "Parking and subway",
        "停车场在门诊楼后面。地铁和公交车都到医院。",
        "Parking is behind the outpatient building. The subway and the bus both come to the hospital.",
    ),
    (
        "health",
        "预防流行性感冒",
        "Against influenza",
        "冬天请注意流行性感冒。老年人和儿童可以到预防保健科疫苗接种。如有发热，请及时就医。",
        "The elderly and children can come to the vaccination clinic. With a fever, see a doctor in good time.",
    ),
    (
        "health",
        "高血压患者",
        "High blood pressure",
        "高血压患者请每天测血压，不要饮酒，遵医嘱服用。",
        "Please check your blood pressure every day, do not drink alcohol and follow your doctor's advice.",
    ),
    (
        "sponsored",
        "健康讲座",
        "A health lecture",
        "本周六上午，门诊楼三楼有糖尿病健康讲座。",
        "This Saturday morning there is a health lecture about diabetes on the third floor of the outpatient building.",
    ),
)
