"""The attacks that are hidden among the normal work, with what they are and when they begin.

They use what attackers use, not what our rules look for: some of them no rule of one event can see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from random import Random

from connectors.simulator.attacks import domain, hotline, money, network, office, operations, records, ssh, web
from connectors.simulator.stream import Line
from connectors.simulator.world import World


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: `day` counts from the first simulated day, `clock` is local time."""

    id: str
    name: str
    vi: str
    techniques: tuple[str, ...]  # ATT&CK v19
    day: int
    clock: time
    play: Callable[[World, Random, datetime], Iterator[Line]]

    def lines(self, world: World) -> Iterator[Line]:
        """Yield the attack's lines, each with the attack's id."""
        random = world.random(f"attack/{self.id}")
        moment = self.play(world, random, world.moment(self.day, self.clock))
        return (replace(line, attack=self.id) for line in moment)


ATTACKS = (
    Attack("secrets-probing", "Probing for forgotten files on the portal", "Dò tìm tệp bị bỏ quên trên cổng",
           ("T1595.003",), 0, time(2, 11), web.secrets_probing),
    Attack("ssh-brute-force", "SSH password guessing that succeeds", "Dò mật khẩu SSH thành công",
           ("T1110.001", "T1078.003"), 0, time(3, 4), ssh.brute_force),
    Attack("sql-injection", "SQL injection against the portal's search", "Tấn công SQL injection vào trang tìm kiếm",
           ("T1595.002", "T1190"), 0, time(10, 22), web.sql_injection),
    Attack("password-spray", "One password tried on many domain accounts", "Thử một mật khẩu trên nhiều tài khoản miền",
           ("T1110.003", "T1078.002"), 0, time(12, 17), domain.password_spray),
    Attack("kerberoasting", "Tickets of all service accounts asked for with RC4", "Kerberoasting các tài khoản dịch vụ",
           ("T1558.003",), 0, time(15, 41), domain.kerberoasting),
    Attack("service-shell", "A service installed that runs hidden PowerShell", "Cài dịch vụ chạy PowerShell ẩn",
           ("T1543.003", "T1569.002", "T1059.001", "T1027.010"), 0, time(22, 48), domain.service_shell),
    Attack("domain-admin", "A new account made domain administrator", "Tài khoản mới thành quản trị miền",
           ("T1136.002", "T1098.007"), 0, time(23, 31), domain.new_administrator),
    Attack("log-cleared", "The security log of a controller cleared", "Xóa nhật ký bảo mật của máy chủ miền",
           ("T1685.005",), 0, time(23, 52), domain.log_cleared),
    Attack("web-shell", "A web shell uploaded to the portal and used", "Tải webshell lên cổng và sử dụng",
           ("T1190", "T1505.003", "T1059.004"), 1, time(1, 37), web.web_shell),
    Attack("hotline-takeover", "A hotline account taken over, complaints exported at night",
           "Chiếm tài khoản 1022, xuất phản ánh ban đêm",
           ("T1078", "T1213"), 1, time(2, 26), hotline.takeover),
    Attack("reporter-browsing", "An agent opens the reporters of complaints one by one",
           "Nhân viên 1022 mở thông tin người phản ánh",
           ("T1213",), 1, time(9, 5), hotline.reporter_browsing),
    Attack("sudo-shell", "An account that never does takes a root shell", "Tài khoản thường lấy quyền root",
           ("T1548.003", "T1136.001"), 1, time(14, 12), ssh.root_shell),
    Attack("dossier-scraping", "A script reads dossiers with an officer's password",
           "Chương trình tự động đọc hồ sơ dịch vụ công",
           ("T1078.004", "T1119", "T1213"), 0, time(4, 12), records.scraping),
    Attack("false-app", "A false tax app loaded by several people", "Tải ứng dụng thuế giả mạo",
           ("T1204.002", "T1583.001"), 0, time(8, 47), network.false_app),
    Attack("curious-nurse", "Medical records read without a care relation", "Mở bệnh án không liên quan khám chữa bệnh",
           ("T1213",), 0, time(10, 3), records.curious_nurse),
    Attack("tax-fraud", "An issued tax notice made smaller", "Sửa thông báo thuế đã phát hành",
           ("T1565.001",), 0, time(11, 8), money.tax_fraud),
    Attack("dns-tunnel", "Files sent out inside of DNS names", "Đưa dữ liệu ra ngoài qua đường hầm DNS",
           ("T1071.004", "T1048"), 0, time(13, 52), network.dns_tunnel),
    Attack("moved-figures", "Approved figures of a report changed", "Sửa số liệu báo cáo đã duyệt",
           ("T1565.001",), 0, time(16, 20), office.moved_figures),
    Attack("sold-lookups", "Citizens looked up for money", "Tra cứu dân cư để bán dữ liệu",
           ("T1213", "T1119"), 0, time(21, 40), records.sold_lookups),
    Attack("meeting-documents", "A member's account takes the documents of all meetings",
           "Chiếm tài khoản, lấy tài liệu họp không giấy",
           ("T1110.001", "T1078", "T1213"), 0, time(23, 5), office.meeting_documents),
    Attack("toll-fraud", "A telephone account guessed, calls abroad all night", "Gian lận cước qua tổng đài",
           ("T1110.001", "T1496"), 1, time(0, 41), network.toll_fraud),
    Attack("changed-marks", "Marks changed at night in a locked class", "Sửa điểm ban đêm sau khi khóa sổ",
           ("T1565.001",), 1, time(0, 58), records.changed_marks),
    Attack("gambling-pages", "Gambling pages and a script through an editor's account",
           "Chèn nội dung cờ bạc qua tài khoản biên tập",
           ("T1078", "T1505.003", "T1491.002", "T1608.006"), 1, time(3, 33), office.gambling_pages),
    Attack("application-spray", "Leaked passwords tried on accounts of all organisations",
           "Thử tài khoản lộ của nhiều cơ quan",
           ("T1110.003", "T1110.004"), 1, time(5, 15), office.spray),
    Attack("stolen-signature", "A signature used from two places and after revocation",
           "Dùng chữ ký số ở hai nơi và sau thu hồi",
           ("T1110.001", "T1552.004", "T1553"), 1, time(9, 44), office.stolen_signature),
    Attack("worm-outbreak", "Malware scans the network and reaches another commune",
           "Mã độc quét mạng và lan sang xã khác",
           ("T1105", "T1046", "T1021.002"), 1, time(10, 31), network.worm),
    Attack("dossier-tampering", "A signed result replaced past the login", "Thay kết quả hồ sơ đã ký",
           ("T1565.001",), 1, time(11, 2), records.tampering),
    Attack("payment-fraud", "A payee changed right before the payout", "Đổi tài khoản thụ hưởng trước khi chi tiền",
           ("T1657", "T1565.001"), 1, time(14, 2), money.payment_fraud),
    Attack("room-listening", "A meeting endpoint administered from outside", "Quản trị thiết bị họp từ bên ngoài",
           ("T1133", "T1123"), 1, time(17, 21), office.listening),
    Attack("address-sabotage", "Addresses carried away, moved and deleted", "Phá hoại dữ liệu địa chỉ số",
           ("T1213", "T1565.001", "T1485"), 1, time(19, 9), records.address_sabotage),
    Attack("mailbox-forwarding", "A mailbox read over IMAP and forwarded outside",
           "Đọc và chuyển tiếp hộp thư ra ngoài",
           ("T1078", "T1114.003"), 1, time(20, 14), office.mailbox),
    Attack("cameras-taken", "A recorder guessed, emptied and formatted", "Chiếm đầu ghi camera, lấy hình và xóa ổ",
           ("T1110.001", "T1125", "T1041", "T1485"), 1, time(22, 26), network.cameras),
    Attack("extortion-chain", "VPN guessed, backups removed, machines stopped", "Chiếm VPN, xóa sao lưu, tắt máy ảo",
           ("T1110.001", "T1133", "T1490", "T1489"), 2, time(1, 12), network.extortion),
    Attack("personnel-leak", "A supplier carries the personnel database away", "Nhà thầu lấy cơ sở dữ liệu cán bộ",
           ("T1199", "T1213.006"), 2, time(2, 40), records.personnel_leak),
    Attack("router-door", "A back door in a commune's router", "Cài cửa hậu trên bộ định tuyến xã",
           ("T1110.001", "T1136", "T1685", "T1572", "T1602.002"), 2, time(3, 25), network.router_door),
    Attack("border-cut", "The border layer read and a sensor opened", "Xem lớp biên giới và phá cảm biến",
           ("T1213", "T1200"), 2, time(4, 8), operations.border_cut),
    Attack("database-theft", "Programs run through a database, then a dump", "Chạy lệnh qua cơ sở dữ liệu rồi sao chép",
           ("T1059.004", "T1136", "T1685", "T1213.006"), 2, time(9, 27), network.database_theft),
    Attack("checkout-skimmer", "The checkout changed and a forged payment", "Sửa trang thanh toán, thanh toán giả",
           ("T1059.007", "T1565.001"), 2, time(12, 34), money.skimmer),
    Attack("wall-takeover", "The wall of the operations centre changed", "Chiếm màn hình ghép IOC",
           ("T1213", "T1491.001"), 2, time(15, 3), operations.wall),
    Attack("false-router", "Addresses taken, another DHCP server answers", "Chiếm hết địa chỉ, DHCP giả trả lời",
           ("T1557.003", "T1499.002"), 2, time(8, 9), network.false_router),
    Attack("private-network", "A data card moved and used to reach the Internet",
           "SIM chuyên dùng bị chuyển để ra Internet",
           ("T1078", "T1090"), 2, time(16, 45), operations.private_network),
    Attack("storage-sabotage", "A visitor in the machine room, snapshots gone", "Vào phòng máy, xóa ảnh chụp dữ liệu",
           ("T1200", "T1078.001", "T1490", "T1685"), 2, time(18, 37), network.storage),
    Attack("false-watchman", "The SOC's own account stops what would see it",
           "Lạm dụng tài khoản giám sát để che dấu vết",
           ("T1685", "T1213"), 2, time(20, 51), operations.false_watchman),
)  # fmt: skip
