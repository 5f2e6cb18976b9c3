"""Names put together by chance. Pure."""

from random import Random

SURNAMES = (
    *("王 Wang", "李 Li", "张 Zhang", "刘 Liu", "陈 Chen", "杨 Yang", "赵 Zhao", "黄 Huang", "周 Zhou", "吴 Wu", "徐 Xu", "孙 Sun"),
    *("胡 Hu", "朱 Zhu", "高 Gao", "林 Lin", "何 He", "郭 Guo", "马 Ma", "罗 Luo", "梁 Liang", "宋 Song", "郑 Zheng", "谢 Xie"),
    *("韩 Han", "唐 Tang", "冯 Feng", "于 Yu", "董 Dong", "萧 Xiao", "程 Cheng", "曹 Cao", "袁 Yuan", "邓 Deng", "许 Xu", "傅 Fu"),
    *("沈 Shen", "曾 Zeng", "彭 Peng", "吕 Lyu", "苏 Su", "卢 Lu", "蒋 Jiang", "蔡 Cai", "贾 Jia", "丁 Ding", "魏 Wei", "薛 Xue"),
    *("叶 Ye", "阎 Yan", "余 Yu", "潘 Pan", "杜 Du", "戴 Dai", "夏 Xia", "钟 Zhong", "汪 Wang", "田 Tian", "任 Ren", "姜 Jiang"),
)
GIVEN = {
    "m": (
        *("伟 wei", "强 qiang", "磊 lei", "军 jun", "勇 yong", "杰 jie", "涛 tao", "明 ming", "超 chao", "刚 gang", "平 ping", "辉 hui"),
        *("建 jian", "文 wen", "志 zhi", "国 guo", "海 hai", "宇 yu", "浩 hao", "鹏 peng", "飞 fei", "华 hua", "峰 feng", "毅 yi"),
        *("俊 jun", "斌 bin", "波 bo", "宏 hong", "东 dong", "安 an", "博 bo", "凯 kai", "亮 liang", "成 cheng", "健 jian", "晨 chen"),
    ),
    "f": (
        *("芳 fang", "娜 na", "敏 min", "静 jing", "丽 li", "艳 yan", "娟 juan", "霞 xia", "秀 xiu", "英 ying", "玉 yu", "兰 lan"),
        *("萍 ping", "红 hong", "梅 mei", "琳 lin", "雪 xue", "慧 hui", "婷 ting", "欣 xin", "怡 yi", "佳 jia", "琴 qin", "云 yun"),
        *("月 yue", "洁 jie", "莉 li", "倩 qian", "岚 lan", "雯 wen", "蓉 rong", "晓 xiao", "淑 shu", "珍 zhen", "瑞 rui", "清 qing"),
    ),
}
FOREIGN_GIVEN = {
    "m": ("James", "Peter", "Thomas", "Daniel", "Martin", "Ivan", "Ahmed", "Carlos", "Kenji", "Marco"),
    "f": ("Anna", "Maria", "Emma", "Sofia", "Laura", "Olga", "Fatima", "Elena", "Yuki", "Clara"),
}
FOREIGN_SURNAMES = ("Miller", "Rossi", "Novak", "Weber", "Silva", "Ivanov", "Larsen", "Kowalski", "Sato", "Haddad", "Moreau", "Clarke")


def given(random: Random, sex: str) -> tuple[str, str]:
    """One or two characters, and how they are written in letters: ("文博", "Wenbo")."""
    parts = [part.split() for part in random.sample(GIVEN[sex], random.choice((1, 2, 2)))]
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts).capitalize()


def surname(random: Random) -> tuple[str, str]:
    """Common ones more often."""
    chinese, letters = SURNAMES[min(random.randrange(len(SURNAMES)), random.randrange(len(SURNAMES)))].split()
    return chinese, letters


def full(random: Random, sex: str) -> tuple[str, str]:
    """("张文博", "Zhang Wenbo")."""
    family, own = surname(random), given(random, sex)
    return family[0] + own[0], f"{family[1]} {own[1]}"


def foreign(random: Random, sex: str) -> str:
    return f"{random.choice(FOREIGN_GIVEN[sex])} {random.choice(FOREIGN_SURNAMES)}"
